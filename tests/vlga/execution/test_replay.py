"""A search is resumed only by software that makes the candidates that are recorded."""

import copy
from dataclasses import replace

import pytest

import vlga.execution.replay
from tests.support.mortal_store import Killed
from tests.support.records import genome
from tests.support.searching import RANDOM, Bench, ScriptedEvaluator, small_config
from vlga.errors import SoftwareChanged
from vlga.strategies.base import Strategy

STEADY = ("strategy=steady_state", "budget.evaluations=24", "population.max_blocks=2")


@pytest.fixture
def killed(tmp_path, request):
    """A search that was killed on its way."""
    bench = Bench(tmp_path, small_config(*request.param))
    bench.store.n_left = 8
    with pytest.raises(Killed):
        bench.run()
    bench.store.n_left = None
    assert bench.trained
    return bench


def refused(bench):
    """Resume it; give what was said, once it is sure that nothing was told, trained or written."""
    stored = bench.store.searches["first"]
    before = copy.deepcopy((stored.candidates, stored.outcomes, stored.artifacts))
    recalled = [*bench.notes.recalls]
    evaluator = ScriptedEvaluator()
    with pytest.raises(SoftwareChanged) as error:
        bench.run(evaluator)

    assert evaluator.submitted == []
    assert (stored.candidates, stored.outcomes, stored.artifacts) == before
    assert bench.notes.recalls == recalled
    return str(error.value)


@pytest.mark.parametrize("killed", [(), RANDOM], ids=["generations", "random"], indirect=True)
def test_another_operator_is_noticed(killed, monkeypatch):
    """A candidate that is asked for under a recorded number must be the recorded one."""
    ask = Strategy.ask
    other = genome(3)
    monkeypatch.setattr(
        Strategy,
        "ask",
        lambda *arguments: tuple(replace(one, genome=other) for one in ask(*arguments)),
    )

    said = refused(killed)

    assert said.startswith("'first' must be resumed with software that makes the same networks")
    assert "\n" not in said


@pytest.mark.parametrize("killed", [(), STEADY], ids=["generations", "steady"], indirect=True)
def test_another_decoding_is_noticed(killed):
    """What a steady state recalls is not asked for again: its genomes are decoded anew."""
    stored = killed.store.searches["first"]
    stored.candidates[0] = replace(stored.candidates[0], fingerprint="0" * 16)

    assert "its candidate 0 was another" in refused(killed)


@pytest.mark.parametrize("killed", [()], indirect=True)
def test_both_versions_are_named(killed):
    """Of vlga, and of every library that is another one now."""
    stored = killed.store.searches["first"]
    stored.candidates[0] = replace(stored.candidates[0], fingerprint="0" * 16)
    versions = {"python": "2.7", "vlga": "0.0.9", "deap": vlga.execution.replay.version("deap")}
    stored.record = replace(stored.record, versions=versions)

    said = refused(killed)

    assert "made by vlga 0.0.9, python 2.7, this is vlga 0." in said
    assert said.endswith("; resume it with vlga 0.0.9, python 2.7, or start another search")
    assert "deap" not in said


@pytest.mark.parametrize("killed", [()], indirect=True)
def test_one_version_in_two_states_is_not_told_to_be_another(killed):
    """Whoever changes the code between two releases would be sent to what is installed."""
    stored = killed.store.searches["first"]
    stored.candidates[0] = replace(stored.candidates[0], fingerprint="0" * 16)
    stored.record = replace(stored.record, versions={"vlga": vlga.__version__})

    assert refused(killed).endswith(
        "another, though the versions are the same: the code of vlga was changed since; "
        "bring that state back, or start another search"
    )
