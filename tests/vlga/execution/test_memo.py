"""What other searches of a database know is taken over, and changes no search but in its time."""

from dataclasses import replace

import pytest

from tests.support.mortal_store import Killed
from tests.support.searching import RANDOM, Bench, ScriptedEvaluator, seed_as_fitness, small_config
from vlga.ports.evaluation import FailureReason, Source

STEADY = ("regularized_evolution", "large_scale_evolution", "steady_state", "ladder")
SHORT = ("population.max_blocks=2", "budget.evaluations=24", "population.size=6")
SETTINGS = {
    "variable_length": (),
    "random_search": RANDOM,
    **{name: (*SHORT, f"strategy={name}") for name in STEADY},
}


def told(bench):
    """Give the ledger of a search, but for what it cost and who trained."""
    candidates, outcomes, best = bench.ledger
    trained = [replace(one, train_seconds=0, source=Source.TRAINED) for one, _ in outcomes]
    return candidates, trained, best


def bench_beside(bench, name, *settings):
    """Give another search in the same database, with the same settings and those given."""
    config = small_config(*SETTINGS[bench.config.strategy], *settings)
    return Bench(bench.folder, config, store=bench.store, name=name)


def evaluator_of(bench):
    """Give two workers; one to a steady state, whose course depends on who ends first."""
    return ScriptedEvaluator(1 if bench.config.strategy in STEADY else 2)


@pytest.fixture(params=SETTINGS)
def first(tmp_path, request):
    """A search that has ended."""
    bench = Bench(tmp_path, small_config(*SETTINGS[request.param]))
    bench.run(evaluator_of(bench))
    return bench


class TestAnEqualSearch:
    def test_trains_nothing_and_finds_the_same(self, first):
        """Every outcome is known; candidates, outcomes and winner are those of the first."""
        second = bench_beside(first, "second")
        evaluator = evaluator_of(first)

        second.run(evaluator)

        assert evaluator.submitted == []
        assert told(second) == told(first)
        assert second.trained == []
        assert len(second.known) == len(first.trained)
        assert len(second.notes.evaluations) == len(second.known) + len(second.reused)
        files = [(one.candidate_id, one.sha256) for one in first.store.artifacts("first")]
        assert [(a.candidate_id, a.sha256) for a in first.store.artifacts("second")] == files

    def test_trains_what_is_missing(self, first):
        """What the first search had not reached is trained for, the rest is not."""
        stored = first.store.searches["first"]
        whole, n_trained = told(first), len(first.trained)
        del stored.outcomes[len(stored.outcomes) // 2 :]
        n_known = len(first.trained)
        second = bench_beside(first, "second")

        second.run(evaluator_of(first))

        assert told(second) == whole
        assert (len(second.known), len(second.trained)) == (n_known, n_trained - n_known)

    def test_whose_files_are_gone_trains_for_them(self, first):
        """Weights that others inherit and that cannot be read are trained for anew."""
        for file in first.folder.rglob("*.pt"):
            file.write_bytes(b"changed")
        second = bench_beside(first, "second")
        evaluator = evaluator_of(first)

        second.run(evaluator)

        assert told(second) == told(first)
        inherits = first.store.artifacts("first") != []
        assert bool(evaluator.submitted) == inherits

    def test_killed_while_it_takes_over_goes_on(self, first):
        """At any write it may die; what it had taken over stays, and the end is the same."""
        for n_left in (3, 8, 15):
            second = bench_beside(first, f"killed at {n_left}")
            second.store.n_left = n_left
            with pytest.raises(Killed):
                second.run()
            second.store.n_left = None
            evaluator = ScriptedEvaluator()

            second.run(evaluator)

            assert told(second) == told(first)
            assert evaluator.submitted == []


class TestAnotherTraining:
    @pytest.mark.parametrize(
        "setting",
        [
            "seed=1",
            "training.epochs=4",
            "training.augment=none",
            "training.reuse=false",
            "training.class_weights=balanced",
            "fitness=log_loss",
            "limits.latency_ms=5",
        ],
    )
    def test_is_not_taken_for_this_one(self, tmp_path, setting):
        """Nor is one of another seed, length, loss or fitness; and nobody has to reuse.

        Where latency matters nobody may: it may be of another machine.
        """
        first = Bench(tmp_path, small_config())
        first.run()
        second = bench_beside(first, "second", setting)

        second.run()

        assert len(second.trained) == len({one.seed for one in second.trained}) > 0
        assert second.known == []

    def test_with_the_same_outcome_is_one_whatever_is_silent(self, tmp_path):
        """A setting that decides who is tried, not how it is trained, leaves trainings equal."""
        first = Bench(tmp_path, small_config("population.generations=1"))
        first.run()
        second = bench_beside(first, "second", "population.mutation_probability=0.9")

        second.run()

        assert second.known


class TestFailures:
    @pytest.mark.parametrize("reason", FailureReason)
    def test_are_taken_over_if_any_machine_would_see_them(self, tmp_path, reason):
        """A network that diverged is not tried again; one that found no memory is."""

        def outcome(task):
            return reason if task.candidate_id == 1 else seed_as_fitness(task)

        first = Bench(tmp_path, small_config())
        first.run(ScriptedEvaluator(outcome=outcome))
        evaluator = ScriptedEvaluator(outcome=outcome)

        bench_beside(first, "second").run(evaluator)

        lasts = reason in (FailureReason.DIVERGED, FailureReason.BUILD)
        assert [task.candidate_id for task in evaluator.submitted] == ([] if lasts else [1])

    def test_taken_over_count_as_failures(self, tmp_path):
        """Too many in a row end the second search as they ended the first."""
        settings = (*RANDOM, "limits.max_failures_in_a_row=3")
        first = Bench(tmp_path, small_config(*settings))
        for bench in (first, Bench(tmp_path, first.config, store=first.store, name="second")):
            with pytest.raises(Exception, match="3 trainings failed in a row"):
                bench.run(ScriptedEvaluator(outcome=lambda _: FailureReason.DIVERGED))


def test_what_is_known_counts_on_the_budget(tmp_path):
    """A search with a budget of 40 trainings ends after 40, trained or known."""
    first = Bench(tmp_path, small_config(*RANDOM, "budget.evaluations=30"))
    first.run()
    second = bench_beside(first, "second")

    second.run()

    assert len(second.trained) == 10
    assert len(second.known) == 30
    assert second.notes.progress[-1].n_completed == 10
