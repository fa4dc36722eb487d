"""What a driver tells whoever watches, and how it is told to several."""

import pytest

from tests.cli.test_live import PROGRESS
from tests.support.mortal_store import Killed
from tests.support.records import candidate, evaluation
from tests.support.searching import TINY, Bench, Notes, ScriptedEvaluator, small_config
from vlga.ports.candidate import Individual
from vlga.ports.machines import Machines
from vlga.ports.observer import Ended, Evaluated, FinalStarted, Updated, tell_each


def test_several_observers_hear_every_event():
    """In the same order, one after the other."""
    heard = []
    both = tell_each(lambda event: heard.append((1, event)), lambda event: heard.append((2, event)))
    events = [
        Updated(PROGRESS),
        Evaluated(candidate(1), evaluation(1)),
        FinalStarted(Individual(candidate(1), evaluation(1)), 30),
        Ended("completed"),
    ]
    for event in events:
        both(event)

    assert heard == [(number, event) for event in events for number in (1, 2)]


class TestASearch:
    def test_says_how_busy_its_workers_are(self, tmp_path):
        """Three workers, one training ends a second: all are busy but at a generation's end."""
        bench = Bench(tmp_path, small_config())
        bench.run(ScriptedEvaluator(n_slots=3))
        shares = [one.busy_share for one in bench.notes.progress]

        assert shares[0] is None
        # Generations of 4: seconds with 3, 3, 2 and 1 of 3 workers, then the next generation.
        assert shares[4] == pytest.approx(9 / 12)

    def test_says_its_pace_and_what_is_left(self, tmp_path):
        """A second a training, seven allowed."""
        settings = ("strategy=random_search", "budget.evaluations=7", "budget.seconds=1000")
        bench = Bench(tmp_path, small_config(*settings))
        bench.run(ScriptedEvaluator())
        first, *others = bench.notes.progress

        assert (first.trainings_per_minute, first.seconds_left) == (None, 1000)
        assert {one.trainings_per_minute for one in others} == {60}
        assert [one.seconds_left for one in others] == [6, 5, 4, 3, 2, 1, 0]

    def test_says_what_it_runs_on_now(self, tmp_path):
        """A machine that joins is seen."""
        bench, machines = Bench(tmp_path, small_config()), Machines(n_nodes=2, n_gpus=4)
        evaluator = ScriptedEvaluator(n_slots=2)
        evaluator.outcome = lambda _: setattr(evaluator, "machines", machines) or 0.5
        bench.run(evaluator)

        assert bench.notes.progress[0].machines == Machines(n_nodes=1, n_gpus=0)
        assert bench.notes.progress[-1].machines == machines
        assert {one.n_slots for one in bench.notes.progress} == {2}

    @pytest.mark.parametrize("strategy", ["variable_length", "steady_state"])
    def test_tells_what_is_recorded_from_what_it_did(self, tmp_path, strategy):
        """Resumed, each outcome is told once, by one word or the other, and the pace is its own."""
        settings = (f"strategy={strategy}", "budget.evaluations=12", *TINY)
        bench = Bench(tmp_path, small_config(*settings))
        bench.store.n_left = 12
        with pytest.raises(Killed):
            bench.run()
        bench.store.n_left = None
        recorded = {one.candidate_id for one in bench.store.evaluations("first")}
        bench.notes = Notes()
        bench.run()
        everything = {one.candidate_id for one in bench.store.evaluations("first")}
        done = [one.candidate_id for one in bench.notes.evaluations]
        recalled = [one.candidate_id for one in bench.notes.recalls]

        assert recorded
        assert bench.reused
        assert sorted(recalled) == sorted(recorded)
        assert sorted(done) == sorted(everything - recorded)
        assert done
        assert bench.notes.progress[-1].trainings_per_minute == pytest.approx(60)
