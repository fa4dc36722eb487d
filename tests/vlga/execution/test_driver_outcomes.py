"""What the driver does with outcomes: failures, the ledger's order, weights for others."""

import re
from random import Random

import pytest

from tests.support.mortal_store import Killed
from tests.support.searching import (
    RANDOM,
    TINY,
    Bench,
    ScriptedEvaluator,
    losing,
    seed_as_fitness,
    small_config,
    weights_of,
)
from vlga.errors import StoreError, TooManyFailures
from vlga.ports.evaluation import FailureReason


def from_the(n_th, reason):
    """Give outcomes of which the n-th training, counted from 0, and all after it fail."""
    seen = []

    def outcome(task):
        seen.append(task)
        return reason if len(seen) > n_th else seed_as_fitness(task)

    return outcome


class TestFailures:
    def test_of_all_end_the_search_with_their_reasons(self, tmp_path):
        """A generation without survivors says what went wrong."""
        bench = Bench(tmp_path, small_config())
        evaluator = ScriptedEvaluator(outcome=lambda _: FailureReason.OUT_OF_MEMORY)

        with pytest.raises(TooManyFailures, match="left 0; failures so far: 4 out_of_memory"):
            bench.run(evaluator)
        assert [one.reason for one in bench.trained] == [FailureReason.OUT_OF_MEMORY] * 4

    def test_of_all_that_the_budget_allowed_are_explained(self, tmp_path):
        """Where there are no generations, the last reasons are given with their messages."""
        bench = Bench(tmp_path, small_config(*RANDOM, "budget.evaluations=3"))
        evaluator = ScriptedEvaluator(outcome=lambda _: FailureReason.BUILD)

        with pytest.raises(TooManyFailures, match="no network could be trained: build: it was to"):
            bench.run(evaluator)

    def test_in_a_row_stop_it(self, tmp_path):
        """Three failures one after the other are too many, two and two are not."""
        settings = ("limits.max_failures_in_a_row=3", "population.size=12")
        patient = Bench(tmp_path, small_config(*settings))
        patient.run(ScriptedEvaluator(outcome=losing(1, 2, 4, 5)))
        bench = Bench(tmp_path, small_config(*settings), name="second")
        search = bench.search(ScriptedEvaluator(outcome=losing(3, 4, 5)))
        winner = search.run()

        assert search.has_failed
        assert re.fullmatch(
            r"3 trainings failed in a row; the last: worker_lost: it was .*; correct the "
            r"cause, or set limits.max_failures_in_a_row higher, then resume the search",
            search.ended_by,
        )
        assert len(bench.trained) == 6
        assert winner.id in {one.candidate_id for one in bench.trained if one.completed}

    def test_in_a_row_of_all_are_an_error(self, tmp_path):
        """There is no winner to end with."""
        bench = Bench(tmp_path, small_config("limits.max_failures_in_a_row=3", *RANDOM))
        evaluator = ScriptedEvaluator(outcome=lambda _: FailureReason.ERROR)

        with pytest.raises(TooManyFailures, match="3 trainings failed in a row"):
            bench.run(evaluator)

    @pytest.mark.parametrize("n_phases", [1, 2])
    def test_of_a_whole_generation_leave_the_winner_that_is_known(self, tmp_path, n_phases):
        """The search ends by its own rule, and says why."""
        config = small_config("budget.phases=3", "population.avoid_duplicates=false")
        bench = Bench(tmp_path, config)

        def outcome(task):
            # Phases have one more block each.
            is_late = len(task.plan.blocks) > n_phases
            return FailureReason.TIMED_OUT if is_late else seed_as_fitness(task)

        search = bench.search(ScriptedEvaluator(outcome=outcome))
        winner = search.run()

        assert winner.candidate.phase < n_phases
        assert not search.has_failed
        assert f"phase {n_phases} generation 0 left 0; failures so far: " in search.ended_by

    def test_of_the_machine_that_leave_no_parents_are_tried_again(self, tmp_path):
        """A machine that is repaired goes on where the last phase had begun."""
        config = small_config("budget.phases=3", "limits.max_failures_in_a_row=50")
        whole = Bench(tmp_path / "whole", config)
        winner = whole.run()
        bench = Bench(tmp_path / "cut", config)

        def outcome(task):
            return FailureReason.ERROR if len(task.plan.blocks) > 1 else seed_as_fitness(task)

        broken = bench.search(ScriptedEvaluator(outcome=outcome))
        broken.run()
        bench.store.update_search("first", status="failed")

        assert broken.has_failed
        assert broken.ended_by.endswith("error; correct the cause, then resume the search")
        assert bench.run() == winner
        assert bench.ledger[0] == whole.ledger[0]

    @pytest.mark.parametrize(
        "strategy", ["variable_length", "steady_state", "ladder", "random_search"]
    )
    def test_of_the_machine_are_tried_again_when_the_search_is_resumed(self, tmp_path, strategy):
        """Once the machine is repaired, the search goes on as if it had never failed.

        (A steady state depends on the order of outcomes, and what failed comes late.)
        """
        settings = (f"strategy={strategy}", "limits.max_failures_in_a_row=3", "population.size=4")
        settings = (*settings, "budget.evaluations=16", "population.max_blocks=3")
        whole = Bench(tmp_path / "whole", small_config(*settings))
        winner = whole.run()
        bench = Bench(tmp_path / "cut", small_config(*settings))
        broken = bench.search(ScriptedEvaluator(outcome=from_the(5, FailureReason.ERROR)))
        broken.run()
        bench.store.update_search("first", status="failed")

        assert broken.has_failed
        again = bench.run()
        n_trained = len({one.candidate_id for one in bench.trained if one.completed})
        assert n_trained == len(whole.trained)
        if strategy not in ("steady_state", "ladder"):
            assert again == winner
            assert bench.ledger[0] == whole.ledger[0]

    def test_of_a_network_are_not_tried_again(self, tmp_path):
        """It would diverge on any machine."""
        settings = ("limits.max_failures_in_a_row=3", *RANDOM)
        bench = Bench(tmp_path, small_config(*settings))
        bench.run(ScriptedEvaluator(outcome=from_the(5, FailureReason.DIVERGED)))
        bench.store.update_search("first", status="failed")
        again = ScriptedEvaluator()
        bench.run(again)

        assert again.submitted == []

    def test_of_the_store_stop_it(self, tmp_path):
        """What could not be recorded is never told."""
        bench = Bench(tmp_path, small_config())
        bench.store.n_left, bench.store.death = 5, StoreError("the disk is full")

        with pytest.raises(StoreError, match="the disk is full"):
            bench.run()
        assert bench.notes.evaluations == bench.trained


class TestLedger:
    def test_it_knows_before_the_strategy(self, tmp_path):
        """At the moment of telling, candidate and outcome are recorded already."""
        bench = Bench(tmp_path, small_config(*TINY))
        search = bench.search(ScriptedEvaluator(2))
        tell = search.strategy.tell
        told = []

        def tell_what_is_recorded(evaluation):
            stored = bench.store.searches["first"]
            assert evaluation.candidate_id in stored.candidates
            assert evaluation in [one for one, *_ in stored.outcomes]
            told.append(evaluation)
            tell(evaluation)

        search.strategy.tell = tell_what_is_recorded
        search.run()

        assert len(told) == len(bench.trained) + len(bench.reused)

    def test_the_best_so_far_is_in_it(self, tmp_path):
        """The search's row names the winner."""
        bench = Bench(tmp_path, small_config())
        winner = bench.run()

        assert bench.store.find_search("first").best_candidate_id == winner.id

    def test_ctrl_c_keeps_what_has_ended(self, tmp_path):
        """What ends while the interrupt is on its way is recorded; what runs is given up."""

        class Interrupted(ScriptedEvaluator):
            def wait(self, timeout_seconds=None):
                if timeout_seconds == 0:
                    return super().wait()
                if len(bench.trained) == 2:
                    raise KeyboardInterrupt
                return super().wait(timeout_seconds)

        bench, evaluator = Bench(tmp_path, small_config()), Interrupted(4)
        with pytest.raises(KeyboardInterrupt):
            bench.run(evaluator)

        assert len(bench.trained) == 3
        assert evaluator.n_cancelled == 1
        assert bench.store.find_search("first").seconds == 3

    @pytest.mark.parametrize("order", range(4))
    def test_the_best_so_far_never_gets_worse(self, tmp_path, order):
        """Also while a search that was killed is told again, by few workers, what many found."""
        bench = Bench(tmp_path, small_config("population.size=40"))
        bench.store.n_left = 14
        with pytest.raises(Killed):
            bench.run(ScriptedEvaluator(40, rng=Random(order)))
        bench.store.n_left = None
        best = []

        def look():
            known = {one.candidate_id: one.fitness for one in bench.trained}
            best.append(known[bench.store.find_search("first").best_candidate_id])

        bench.run(asked_to_stop=look)
        assert best == sorted(best)
        assert best[0] < best[-1]


class TestWeights:
    def test_of_a_phase_s_best_are_recorded_with_it(self, tmp_path):
        """One transaction holds a new best and its weights; no other weights are kept."""
        bench = Bench(tmp_path, small_config())
        bench.run()
        best = {0: 0.0, 1: 0.0}
        for method, ids, artifacts in bench.store.writes:
            if method != "add_evaluations":
                continue
            stored = bench.store.searches["first"]
            (one,) = [e for e, *_ in stored.outcomes if e.candidate_id in ids]
            phase = stored.candidates[one.candidate_id].phase

            assert bool(artifacts) == (one.fitness > best[phase])
            assert all(artifact.candidate_id == one.candidate_id for artifact in artifacts)
            best[phase] = max(best[phase], one.fitness)

    @pytest.mark.parametrize("n_slots", [1, 16])
    def test_of_a_phase_s_best_are_what_the_next_inherits(self, tmp_path, n_slots):
        """Every task of the second phase carries them, none of the first carries any."""
        bench, evaluator = Bench(tmp_path, small_config()), ScriptedEvaluator(n_slots)
        search = bench.search(evaluator)
        search.run()
        parent = search.strategy.phase_bests[0]
        candidates = bench.store.searches["first"].candidates
        trained = {task.candidate_id: task for task in evaluator.submitted}
        carried = {0: set(), 1: set()}
        for number, task in trained.items():
            carried[candidates[number].phase].add(task.weights)

        assert carried[0] == {None}
        (weights,) = carried[1]
        assert (weights.candidate_id, weights.data) == (parent.id, weights_of(trained[parent.id]))

    def test_are_not_asked_for_where_nobody_inherits(self, tmp_path):
        """Searches without inheritance keep no files."""
        bench = Bench(tmp_path / "none", small_config("training.inherit_weights=false"))
        evaluator = ScriptedEvaluator()
        bench.run(evaluator)

        assert not any(task.keep_weights or task.weights for task in evaluator.submitted)
        assert not (tmp_path / "none").exists()

    @pytest.mark.parametrize("name", ["random_search", "fixed_length", "regularized_evolution"])
    def test_of_the_winner_are_kept_where_nobody_inherits(self, tmp_path, name):
        """No task begins with any; its longer training does."""
        config = small_config(*RANDOM, f"strategy={name}")
        bench, evaluator = Bench(tmp_path, config), ScriptedEvaluator(4)
        winner = bench.run(evaluator)

        assert not any(task.weights for task in evaluator.submitted)
        assert winner.id in {one.candidate_id for one in bench.store.artifacts("first")}

    def test_that_are_lost_stop_the_search(self, tmp_path):
        """Without its parent's weights a phase would be another search."""
        bench = Bench(tmp_path, small_config("budget.evaluations=9"))
        bench.run()
        bench.store.searches["first"].artifacts.clear()
        bench.config = small_config()

        with pytest.raises(StoreError, match=r"weights of candidate \d+ must be in the ledger"):
            bench.run()
