"""Searches that are asked to stop, and drivers that are not alone."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.support.mortal_store import MortalStore
from tests.support.searching import Bench, Clock, ScriptedEvaluator, small_config
from vlga.errors import LeaseLost, SearchStopped
from vlga.execution.hold import LEASE_SECONDS, RENEW_SECONDS, Hold
from vlga.ports.lease import Holder, Stop

ANNA = Holder("a" * 32, "anna's", 11, "")
BERT = Holder("b" * 32, "bert's", 22, "")

STRATEGIES = pytest.mark.parametrize(
    "settings",
    [(), ("strategy=regularized_evolution", "budget.evaluations=24")],
    ids=["generational", "steady"],
)


@dataclass
class SlowEvaluator(ScriptedEvaluator):
    """One whose trainings take an hour; `wait` gives up when its time is over.

    Attributes:
        patience: the time that every `wait` was given.
    """

    patience: tuple[float | None, ...] = ()
    _left: float = 3600.0

    def wait(self, timeout_seconds=None):
        self.patience += (timeout_seconds,)
        if timeout_seconds is not None and timeout_seconds < self._left:
            self.clock.now += timeout_seconds
            self._left -= timeout_seconds
            return ()
        self._left = 3600.0
        return super().wait(timeout_seconds)


class TestStop:
    @STRATEGIES
    @pytest.mark.parametrize("n_slots", [1, 3])
    @pytest.mark.parametrize("n_before", [0, 1, 7])
    def test_draining_finishes_what_runs(self, tmp_path, settings, n_slots, n_before):
        """What runs is recorded, nothing else is trained; resumed it ends as if never stopped.

        A steady state does with one training at a time: others depend on who ends first.
        """
        whole = Bench(tmp_path, small_config(*settings))
        winner = whole.run(ScriptedEvaluator(n_slots))
        bench, evaluator = Bench(tmp_path, whole.config), ScriptedEvaluator(n_slots)
        running = []

        def ask():
            if len(bench.trained) < n_before:
                return None
            running.append([one.candidate_id for one in evaluator._out[:n_slots]])
            return Stop.DRAIN

        with pytest.raises(SearchStopped):
            bench.run(evaluator, asked_to_stop=ask)
        recorded = [one.candidate_id for one in bench.trained]
        again = ScriptedEvaluator(n_slots)

        assert len(recorded) == n_before + len(running[0])
        assert recorded[n_before:] == running[0]
        assert evaluator.n_cancelled == 0
        found = bench.run(again)
        if n_slots == 1 or not settings:
            assert found == winner
            assert bench.ledger == whole.ledger
        assert not {*recorded} & {task.candidate_id for task in again.submitted}

    @STRATEGIES
    def test_at_once_gives_up_what_runs(self, tmp_path, settings):
        """What had ended is recorded, the rest is cancelled and trained when resumed."""
        whole = Bench(tmp_path, small_config(*settings, "population.size=12"))
        winner = whole.run()
        bench, evaluator = Bench(tmp_path, whole.config), ScriptedEvaluator()

        def wish():
            return Stop.NOW if len(bench.trained) == 5 and evaluator._out else None

        with pytest.raises(SearchStopped, match="at once"):
            bench.run(evaluator, asked_to_stop=wish)
        assert len(bench.trained) == 5
        assert evaluator.n_cancelled == len(evaluator.submitted) - 5 > 0
        assert bench.run() == winner
        assert bench.ledger == whole.ledger

    def test_at_once_also_while_it_drains(self, tmp_path):
        """A second wish overtakes the first."""
        bench, evaluator = Bench(tmp_path, small_config("population.size=12")), ScriptedEvaluator(3)

        def ask():
            return (None, Stop.DRAIN, Stop.NOW)[min(2, len(bench.trained))]

        with pytest.raises(SearchStopped, match="at once"):
            bench.run(evaluator, asked_to_stop=ask)
        assert len(bench.trained) == 2
        assert evaluator.n_cancelled == 2

    def test_a_replayed_search_hears_it_too(self, tmp_path):
        """Telling a long ledger again is interrupted as training is."""
        bench = Bench(tmp_path, small_config())
        bench.run()
        before, asked = bench.ledger, []

        with pytest.raises(SearchStopped):
            bench.run(asked_to_stop=lambda: asked.append(1) or (Stop.NOW if asked[5:] else None))
        assert len(asked) == 6
        assert bench.ledger == before


class TestLease:
    def test_a_long_training_does_not_end_it(self, tmp_path):
        """The driver never waits for longer than it may go without renewing."""
        bench, evaluator = Bench(tmp_path, small_config("budget.evaluations=4")), SlowEvaluator()
        bench.search()
        bench.store.clock = evaluator.clock
        bench.store.acquire("first", ANNA, LEASE_SECONDS)
        expired = []

        def check():
            expired.append(bench.store.lease("first").has_expired)
            return hold.check()

        hold = Hold(bench.store, "first", evaluator.clock)
        bench.run(evaluator, asked_to_stop=check)

        assert len(bench.trained) == 4
        assert len(expired) > 4 * 3600 / RENEW_SECONDS
        assert not any(expired)
        assert max(evaluator.patience) == RENEW_SECONDS < LEASE_SECONDS / 10

    def test_a_wish_is_heard_within_seconds(self, tmp_path):
        """In the middle of a training of an hour, by the next renewal."""
        bench, evaluator = Bench(tmp_path, small_config()), SlowEvaluator()
        bench.search()
        bench.store.acquire("first", ANNA, LEASE_SECONDS)
        started = evaluator.clock.now
        bench.store.request_stop("first", Stop.NOW)

        with pytest.raises(SearchStopped):
            bench.run(evaluator, asked_to_stop=Hold(bench.store, "first", evaluator.clock).check)
        assert evaluator.clock.now - started <= 2 * RENEW_SECONDS

    def test_the_driver_s_clock_may_jump(self, tmp_path):
        """Forth and back by days, in the middle of a search: the same result, the lease kept."""
        whole = Bench(tmp_path, small_config("budget.seconds=1e9"))
        winner = whole.run(ScriptedEvaluator(2))
        bench, evaluator = Bench(tmp_path, whole.config), ScriptedEvaluator(2)
        bench.search()
        bench.store.acquire("first", ANNA, LEASE_SECONDS)
        hold, jumps = Hold(bench.store, "first", evaluator.clock), [1e6, -1e6, -1e6, 1e6]

        def jump_and_check():
            if jumps and len(bench.trained) % 3 == 2:
                evaluator.clock.now += jumps.pop()
            return hold.check()

        assert bench.run(evaluator, asked_to_stop=jump_and_check) == winner
        assert not jumps
        assert bench.ledger == whole.ledger
        assert bench.store.lease("first").holder == ANNA

    @STRATEGIES
    @pytest.mark.parametrize("n_before", [0, 1, 2, 5, 9, 11])
    def test_of_two_drivers_only_one_writes(self, tmp_path, settings, n_before):
        """One that was taken over in the middle of a training writes nothing from then on.

        Its lease expires while it lives; the second runs the search to its end before the first
        comes back. The ledger is that of one driver alone.
        """
        whole = Bench(tmp_path, small_config(*settings))
        winner = whole.run()
        first = Bench(tmp_path / "first", whole.config)
        first.search()
        clock = Clock()
        first.store.clock = clock
        first.store.acquire("first", ANNA, LEASE_SECONDS)
        second = Bench(tmp_path / "first", whole.config, store=MortalStore())
        second.store.searches, second.store.clock = first.store.searches, clock
        ledger_of_second = []

        def outcome(task):
            if len(evaluator.submitted) and not ledger_of_second and len(first.trained) == n_before:
                clock.now += LEASE_SECONDS + 1
                assert second.store.acquire("first", BERT, LEASE_SECONDS)
                assert second.run() == winner
                second.store.release("first")
                ledger_of_second.append((second.ledger, [*second.trained]))
            return task.seed / 2**63

        evaluator = ScriptedEvaluator(outcome=outcome)
        with pytest.raises(LeaseLost, match="'first' was run by another process meanwhile"):
            first.run(evaluator)

        assert ledger_of_second == [(first.ledger, first.trained)]
        assert first.ledger == whole.ledger
        assert len({one.candidate_id for one in first.trained}) == len(first.trained)

    def test_who_has_lost_it_gives_up_what_runs(self, tmp_path):
        """Its workers are free again, and the error says who has the search."""
        bench, evaluator = Bench(tmp_path, small_config("population.size=12")), ScriptedEvaluator(3)
        bench.search()
        bench.store.acquire("first", ANNA, LEASE_SECONDS)
        other = MortalStore()
        other.searches = bench.store.searches

        def take_over():
            if len(bench.trained) == 4:
                other.acquire("first", BERT, LEASE_SECONDS, over=ANNA.token)

        with pytest.raises(LeaseLost, match='is run by process 22 on "bert\'s"'):
            bench.run(evaluator, asked_to_stop=take_over)
        assert evaluator.n_cancelled > 0
        assert len(bench.trained) == 4
