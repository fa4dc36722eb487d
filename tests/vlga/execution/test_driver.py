from collections import Counter
from random import Random

import pytest

from tests.support.mortal_store import Killed
from tests.support.searching import (
    RANDOM,
    TINY,
    Bench,
    Clock,
    ScriptedEvaluator,
    losing,
    small_config,
)
from tests.support.thorough import some
from vlga.config.settings import BudgetConfig
from vlga.errors import TooManyFailures
from vlga.ports.evaluation import FailureReason
from vlga.strategies.base import training_seed


class TestOrder:
    @pytest.mark.parametrize("settings", [(), RANDOM, TINY], ids=["default", "random", "tiny"])
    @pytest.mark.parametrize("n_slots", [1, 2, 16])
    def test_neither_slots_nor_order_matter(self, tmp_path, settings, n_slots):
        """Same candidates, same fitnesses, same trainings, same winner."""
        alone = Bench(tmp_path, small_config(*settings))
        winner = alone.run()
        for order in range(5):
            bench = Bench(tmp_path, small_config(*settings))

            assert bench.run(ScriptedEvaluator(n_slots, rng=Random(order))) == winner
            assert bench.ledger == alone.ledger

    def test_the_seed_matters(self, tmp_path):
        """Another seed is another search, with other seeds for its trainings."""
        one, other = (Bench(tmp_path, small_config(f"seed={seed}")) for seed in (0, 1))
        one.run()
        other.run()

        assert not {e.seed for e in one.trained} & {e.seed for e in other.trained}

    @pytest.mark.parametrize("size", [6, 100])
    def test_the_costliest_of_a_generation_start_first(self, tmp_path, size):
        """So that few workers wait for its last; generations follow each other as ever."""
        config = small_config(f"population.size={size}")
        bench = Bench(
            tmp_path, config.model_copy(update={"budget": BudgetConfig(phases=1)}, deep=True)
        )
        evaluator = ScriptedEvaluator(3, rng=Random(0))
        bench.run(evaluator)
        candidates = bench.store.searches["first"].candidates
        started = [
            (candidates[task.candidate_id].generation, -task.plan.n_macs, task.candidate_id)
            for task in evaluator.submitted
        ]

        assert started == sorted(started)
        assert [number for *_, number in started] != sorted(candidates)
        assert {generation for generation, *_ in started} == {0, 1, 2}

    def test_where_time_may_run_out_the_cheapest_start_first(self, tmp_path):
        """While nothing is trained: the costliest may take all the time that there is."""
        settings = ("population.size=6", "budget.phases=1", "budget.seconds=1000")
        bench = Bench(tmp_path, small_config(*settings))
        evaluator = ScriptedEvaluator()
        bench.run(evaluator)
        candidates = bench.store.searches["first"].candidates

        for generation, sign in enumerate((1, -1, -1)):
            n_macs = [
                sign * task.plan.n_macs
                for task in evaluator.submitted
                if candidates[task.candidate_id].generation == generation
            ]
            assert len(n_macs) > 1
            assert n_macs == sorted(n_macs)

    def test_equal_networks_train_alike(self):
        """A training's seed depends on the search's seed and the network, and fits a column."""
        assert training_seed(1, "ab") == training_seed(1, "ab")
        assert len({training_seed(1, "ab"), training_seed(2, "ab"), training_seed(1, "ac")}) == 3
        assert all(0 <= training_seed(seed, "ab") < 2**63 for seed in range(100))


class TestKilled:
    @pytest.mark.parametrize("settings", [(), TINY], ids=["default", "tiny"])
    @pytest.mark.parametrize("n_slots", [1, 3])
    def test_at_any_moment_it_goes_on_as_if_it_had_not_been(self, tmp_path, settings, n_slots):
        """Killed before any of its writes and run again, a search ends the same, to the byte.

        Before every third of them; before each under HYPOTHESIS_PROFILE=long.
        """
        whole = Bench(tmp_path, small_config(*settings))
        winner = whole.run(ScriptedEvaluator(n_slots))
        n_writes = len(whole.store.writes)

        assert n_writes > 15
        for n_left in some(range(n_writes)):
            bench = Bench(tmp_path, whole.config)
            bench.store.n_left = n_left
            with pytest.raises(Killed):
                bench.run(ScriptedEvaluator(n_slots))
            recorded = {one.candidate_id for one in bench.store.evaluations("first")}
            bench.store.n_left = None
            again = ScriptedEvaluator(n_slots)

            assert bench.run(again) == winner
            assert bench.ledger == whole.ledger
            assert bench.store.artifacts("first") == whole.store.artifacts("first")
            assert not recorded & {task.candidate_id for task in again.submitted}

    def test_as_often_as_one_likes(self, tmp_path):
        """A search that dies after every few writes comes to the same end."""
        whole, bench = (Bench(tmp_path, small_config()) for _ in range(2))
        winner = whole.run()
        for _ in range(30):
            bench.store.n_left = 5
            try:
                bench.run()
            except Killed:
                continue
            break
        bench.store.n_left = None

        assert bench.run() == winner
        assert bench.ledger == whole.ledger
        assert len(bench.trained) == len({one.candidate_id for one in bench.trained})

    def test_a_finished_one_trains_nothing(self, tmp_path):
        """A search run again after its end gives its winner from the ledger."""
        bench = Bench(tmp_path, small_config())
        winner = bench.run()
        ledger, again = bench.ledger, ScriptedEvaluator()

        assert bench.run(again) == winner
        assert bench.ledger == ledger
        assert not again.submitted

    def test_also_when_its_time_was_over(self, tmp_path):
        """What is recorded counts, and the time is not begun anew."""
        bench = Bench(tmp_path, small_config("budget.seconds=6"))
        winner = bench.run(ScriptedEvaluator(2, rng=Random(0)))
        again = ScriptedEvaluator(2)

        assert bench.run(again) == winner
        assert not again.submitted

    def test_its_time_is_kept(self, tmp_path):
        """A killed search has used its time up to the outcomes that it recorded last."""
        bench = Bench(tmp_path, small_config("budget.seconds=6"))
        bench.store.n_left = 8
        with pytest.raises(Killed):
            bench.run()
        bench.store.n_left = None
        n_before, seconds = len(bench.trained), bench.store.find_search("first").seconds
        bench.run()

        assert 0 < seconds <= n_before
        assert len(bench.trained) == n_before + 6 - seconds


class TestBudget:
    @pytest.mark.parametrize("n_slots", [1, 16])
    @pytest.mark.parametrize(
        ("settings", "n_trained"),
        [
            (("budget.evaluations=7",), 7),
            (("budget.epochs=10", "training.epochs=3"), 3),
            (("budget.epochs=10", "training.epochs=3", "budget.evaluations=2"), 2),
            ((*RANDOM, "budget.evaluations=70"), 70),
        ],
    )
    def test_trainings_are_counted_as_they_start(self, tmp_path, settings, n_trained, n_slots):
        """Evaluations and whole trainings' epochs limit a search on any number of workers."""
        bench, evaluator = Bench(tmp_path, small_config(*settings)), ScriptedEvaluator(n_slots)
        bench.run(evaluator)

        assert len(evaluator.submitted) == len(bench.trained) == n_trained

    @pytest.mark.parametrize("n_slots", [1, 2])
    @pytest.mark.parametrize(("seconds", "n_trained"), [(2.5, 3), (4.5, 4)])
    def test_time_ends_it(self, tmp_path, n_slots, seconds, n_trained):
        """After the last second nothing starts, what is out is given up, the best has won.

        Once three have said how long they take, nothing starts that would not end in time.
        """
        bench = Bench(tmp_path, small_config(f"budget.seconds={seconds}"))
        evaluator = ScriptedEvaluator(n_slots)
        winner = bench.run(evaluator)

        assert len(bench.trained) == n_trained
        assert winner.accuracy == max(one.fitness for one in bench.trained)
        assert evaluator.n_cancelled == len(evaluator.submitted) - n_trained
        assert bench.store.find_search("first").seconds == n_trained

    def test_phases_end_it(self, tmp_path):
        """No candidate of a further phase is made."""
        bench = Bench(tmp_path, small_config("budget.phases=2", "population.stop_margin=1.0"))
        bench.run()

        assert {one.phase for one in bench.store.searches["first"].candidates.values()} == {0, 1}

    def test_what_is_reused_costs_nothing(self, tmp_path):
        """With four networks in all, five trainings are never used up."""
        bench = Bench(tmp_path, small_config(*TINY, "budget.phases=1", "budget.evaluations=5"))
        bench.run()

        assert len(bench.trained) <= 4
        assert len(bench.trained) + len(bench.reused) > 5

    def test_one_too_small_for_anything_is_explained(self, tmp_path):
        """A search whose time was over before anything ended has nothing to give."""
        bench = Bench(tmp_path, small_config("budget.seconds=5"))
        bench.search()
        bench.store.update_search(bench.name, seconds=6.0)

        said = "trained: none ended within the budget; resume .* such as budget.seconds=10$"
        with pytest.raises(TooManyFailures, match=said):
            bench.run()


class TestDuplicates:
    @pytest.mark.parametrize("n_slots", [1, 2, 16])
    def test_are_trained_once(self, tmp_path, n_slots):
        """There are as many trainings as networks, and every candidate has its outcome."""
        bench, evaluator = Bench(tmp_path, small_config(*TINY)), ScriptedEvaluator(n_slots)
        bench.run(evaluator)
        candidates = bench.store.searches["first"].candidates
        trained = {one.candidate_id for one in bench.trained}
        networks = {(one.fingerprint, one.weights_from) for one in candidates.values()}

        assert len(evaluator.submitted) == len(trained) == len(networks)
        assert trained | {one.candidate_id for one in bench.reused} == set(candidates)

    def test_in_flight_wait_for_their_twin(self, tmp_path):
        """Before anything has ended, no two equal networks are out."""
        bench = Bench(tmp_path, small_config(*TINY, "population.size=12"))
        evaluator = ScriptedEvaluator(16, outcome=lambda _: Killed())
        with pytest.raises(Killed):
            bench.run(evaluator)
        plans = [task.plan for task in evaluator.submitted]

        assert len(plans) == len(set(plans)) == 4

    def test_take_over_the_outcome_but_not_the_training(self, tmp_path):
        """A reused evaluation has the fitness of the one trained, no time and no curve."""
        bench = Bench(tmp_path, small_config(*TINY))
        bench.run()
        fitnesses = {one.seed: one.fitness for one in bench.trained}

        assert bench.reused
        for one in bench.reused:
            assert one.fitness == fitnesses[one.seed]
            assert (one.train_seconds, one.curve) == (0.0, ())

    @pytest.mark.parametrize("n_slots", [1, 16])
    @pytest.mark.parametrize(
        ("reason", "n_trained"),
        [
            (FailureReason.DIVERGED, 1),
            (FailureReason.WORKER_LOST, 2),
            (FailureReason.TIMED_OUT, 2),
        ],
    )
    def test_take_over_failures_of_the_network_only(self, tmp_path, reason, n_trained, n_slots):
        """What diverged would diverge again; what was lost or too slow is tried again."""
        bench = Bench(tmp_path, small_config(*TINY, "budget.phases=1", "population.size=12"))
        evaluator = ScriptedEvaluator(n_slots, outcome=losing(0, reason=reason))
        bench.run(evaluator)
        first = evaluator.submitted[0].seed

        assert Counter(task.seed for task in evaluator.submitted)[first] == n_trained
        assert any(one.seed == first and one.completed for one in bench.trained) == (n_trained == 2)


class TestProgress:
    def test_counts_add_up(self, tmp_path):
        """Completed, failed and reused make the ledger's rows; nothing runs in the end."""
        settings = ("budget.phases=1", "budget.evaluations=30")
        bench = Bench(tmp_path, small_config(*TINY, *settings))
        bench.run(ScriptedEvaluator(2, outcome=losing(1)))
        last = bench.notes.progress[-1]

        assert (last.n_failed, last.n_running) == (1, 0)
        assert last.n_completed + last.n_failed == len(bench.trained)
        assert last.n_reused == len(bench.reused)
        assert max(one.n_running for one in bench.notes.progress) == 2

    def test_every_generation_is_announced_once(self, tmp_path):
        """Also those of a search that is run again."""
        bench = Bench(tmp_path, small_config())
        bench.run()
        generations = [(one["phase"], one["generation"]) for one in bench.notes.generations]
        bench.notes.generations.clear()
        bench.run()

        assert generations == [(phase, g) for phase in (0, 1) for g in (0, 1, 2)]
        assert [(one["phase"], one["generation"]) for one in bench.notes.generations] == generations

    def test_time_counts_from_the_first_start(self, tmp_path):
        """Seconds of earlier runs are part of the search's."""
        bench = Bench(tmp_path, small_config())
        bench.run(ScriptedEvaluator(clock=Clock(5.0)))
        n_seconds = bench.store.find_search("first").seconds
        run = bench.entered(ScriptedEvaluator(clock=Clock(77.0)))

        assert run.elapsed_seconds == n_seconds == len(bench.trained)
