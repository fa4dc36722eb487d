"""What Tune's search algorithm saves, and how it goes on from it."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ray import cloudpickle

from tests.workers.test_tune_search import BLOCK, NETWORK, alive, run, score, search
from vlga.errors import ConfigError, GenomeError


class TestState:
    @given(data=st.data())
    @settings(max_examples=25)
    def test_restored_it_goes_on_as_if_it_had_never_stopped(self, data, tmp_path_factory):
        """Anywhere: with trials running, failed, run again, and equal candidates."""
        path = str(tmp_path_factory.mktemp("state") / "state.json")
        space = ({"width": [1, 2]}, {}) if data.draw(st.booleans()) else (BLOCK, NETWORK)
        original, running = search(*space, max_blocks=3), []
        steps = data.draw(st.lists(st.integers(0, 6), max_size=40))
        _play(original, steps, running)
        original.save(path)
        again = search(*space, max_blocks=3)
        again.restore(path)
        more = data.draw(st.lists(st.integers(0, 6), max_size=20))

        assert alive(again) == alive(original)
        assert _play(again, more, [*running]) == _play(original, more, [*running])
        assert alive(again) == alive(original)

    def test_has_the_scores_of_trials_that_run(self, tmp_path):
        """One that was paused at the time and is stopped later still counts with its last score."""
        original, again = search(), search()
        original.suggest("paused")
        original.on_trial_result("paused", {"score": 3.0})
        original.save(str(tmp_path / "state"))
        again.restore(str(tmp_path / "state"))
        again.on_trial_complete("paused")

        assert again._outcomes == {"paused": 3.0}

    def test_is_json(self, tmp_path):
        """A person reads what was tried and what came of it."""
        searcher = search()
        config = searcher.suggest("one")
        searcher.on_trial_complete("one", {"score": 0.1})
        searcher.save(str(tmp_path / "state"))
        state = json.loads((tmp_path / "state").read_text())

        assert state["candidates"][0]["genome"]["blocks"] == config["blocks"]
        assert state["candidates"][0]["trial"] == "one"
        assert state["outcomes"] == {"one": 0.1}

    @pytest.mark.parametrize(
        "copy", [deepcopy, lambda one: cloudpickle.loads(cloudpickle.dumps(one))]
    )
    def test_travels_with_the_tuner(self, copy):
        """Which is pickled to be restored: the copy goes on alike."""
        searcher = search()
        run(searcher, 10)

        assert copy(searcher).suggest("next") == searcher.suggest("next")

    def test_is_taken_up_before_metric_and_mode_are_known(self, tmp_path):
        """They come with it."""
        run(original := search(), 10)
        original.save(str(tmp_path / "state"))
        again = search(metric=None, mode=None)
        again.restore(str(tmp_path / "state"))

        assert again.suggest("next") == original.suggest("next")

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"metric": "loss"}, "needs metric='loss', but .* was saved with metric='score'"),
            ({"mode": "min"}, "needs mode='min', but .* was saved with mode='max'"),
        ],
    )
    def test_of_another_search_is_refused(self, settings, message, tmp_path):
        """Scores of another metric say nothing."""
        search().save(str(tmp_path / "state"))

        with pytest.raises(ConfigError, match=message):
            search(**settings).restore(str(tmp_path / "state"))

    def test_of_another_space_is_refused(self, tmp_path):
        """And the searcher is what it was before."""
        run(original := search(), 3)
        original.save(str(tmp_path / "state"))
        other = search({"width": [7]})

        with pytest.raises(GenomeError, match="must have exactly the genes of its space"):
            other.restore(str(tmp_path / "state"))
        assert other.suggest("one")["blocks"] == [{"width": 7}]

    @pytest.mark.parametrize("text", ["\x80\x04", "[]", "{}", '{"version": 0}'])
    def test_of_another_kind_is_refused(self, text, tmp_path):
        """By one line that names the file."""
        (tmp_path / "state").write_text(text, encoding="latin-1")

        with pytest.raises(ConfigError, match=f"what it saved, but got {tmp_path}/state"):
            search().restore(str(tmp_path / "state"))


def _play(searcher, steps, running):
    """Suggest, report, end and fail trials by these numbers; give all that was suggested.

    Any of the trials that run may be next. One that failed is run again.
    """
    suggested = []
    for number, step in enumerate(steps):
        trial_id = f"trial-{len(searcher._candidates)}-{number}"
        if step < 3 or not running:
            config = searcher.suggest(trial_id)
            suggested.append(config)
            if isinstance(config, dict):
                running.append((trial_id, config))
            continue
        trial_id, config = running.pop(step % len(running))
        searcher.on_trial_result(trial_id, {"score": score(config) / 2})
        if step == 6:
            searcher.on_trial_complete(trial_id, error=True)
            running.append((trial_id, config))
        else:
            searcher.on_trial_complete(trial_id, {"score": score(config)})
    return suggested
