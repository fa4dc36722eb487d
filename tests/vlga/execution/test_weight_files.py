"""Files of weights are kept for those who inherit and of the fittest; the others are deleted."""

from random import Random

import pytest

from tests.support.mortal_store import Killed
from tests.support.searching import TINY, Bench, ScriptedEvaluator, small_config

SETTINGS = (
    "strategy=large_scale_evolution",
    "population.size=6",
    "population.max_blocks=3",
    "budget.evaluations=100",
    "limits.weight_files=5",
)
#: What is deleted together, and hence may lie there for a while.
N_PRUNED = 16


def bench_of(folder, *settings):
    """Give a search of a hundred trainings that keeps five files."""
    return Bench(folder, small_config(*SETTINGS, *settings))


def files_of(bench):
    """Give the ledger's files by candidate."""
    return {one.candidate_id: one for one in bench.store.artifacts("first")}


@pytest.mark.parametrize("settings", [(), TINY], ids=["", "with twins"])
def test_the_ledger_names_the_files_that_are_there(tmp_path, settings):
    """Rows and files agree: the fittest five, those alive and a few yet to go, also of twins."""
    bench = bench_of(tmp_path, *settings)
    search = bench.search(ScriptedEvaluator(n_slots=3, rng=Random(0)))
    search.run()
    files = files_of(bench)
    outcomes = bench.trained + bench.reused
    ranked = sorted(outcomes, key=lambda one: (one.fitness, -one.candidate_id), reverse=True)

    assert {tmp_path / one.path for one in files.values()} == set((tmp_path / "first").iterdir())
    assert {one.candidate_id for one in ranked[:5]} <= files.keys()
    assert set(search.strategy.parents) <= files.keys()
    assert len(files) < 5 + 6 + N_PRUNED
    assert len(outcomes) > 100 or not settings


@pytest.mark.parametrize("settings", [(), TINY], ids=["", "with twins"])
def test_killed_at_any_moment_it_misses_none(tmp_path, settings):
    """Whoever is trained after a resume finds what it inherits, and the end is the same."""
    whole = bench_of(tmp_path / "whole", *settings)
    whole.run(ScriptedEvaluator(3))
    n_writes = len(whole.store.writes)
    for n_left in range(20, n_writes, n_writes // 8):
        bench = bench_of(tmp_path / str(n_left), *settings)
        bench.store.n_left = n_left
        with pytest.raises(Killed):
            bench.run(ScriptedEvaluator(3))
        bench.store.n_left = None

        bench.run(ScriptedEvaluator(3))

        assert bench.ledger == whole.ledger
        assert all((bench.folder / one.path).exists() for one in files_of(bench).values())


def test_where_one_a_phase_is_inherited_few_are_written(tmp_path):
    """Each phase's best and the fittest are kept, also where no other may be."""
    bench = Bench(
        tmp_path, small_config("limits.weight_files=1", "population.size=40", "budget.phases=3")
    )
    winner = bench.run()
    candidates = bench.store.searches["first"].candidates
    best = {}
    for one in sorted(bench.trained, key=lambda one: (one.fitness, -one.candidate_id)):
        best[candidates[one.candidate_id].phase] = one.candidate_id

    assert {winner.id, *best.values()} <= files_of(bench).keys()


def test_where_one_a_phase_is_inherited_few_travel(tmp_path):
    """Worse ones than its phase's best, when the training was asked for, stay with the worker."""
    bench = Bench(tmp_path, small_config("population.size=40", "budget.phases=3"))
    evaluator = ScriptedEvaluator()
    n_carried = 0
    wait = evaluator.wait

    def counted(timeout_seconds=None):
        nonlocal n_carried
        ended = wait(timeout_seconds)
        n_carried += sum(one.weights is not None for one in ended)
        return ended

    evaluator.wait = counted
    bench.run(evaluator)

    assert n_carried < len(bench.trained) / 2


@pytest.mark.parametrize("n_slots", [1, 3])
def test_on_a_ladder_those_who_may_go_up_keep_theirs(tmp_path, n_slots):
    """Whoever goes up finds the weights of its shorter training; others' are deleted."""
    settings = ("strategy=ladder", "training.epochs=9", "limits.weight_files=1")
    config = small_config(*settings, "budget.epochs=300", "population.max_blocks=3")
    bench = Bench(tmp_path, config)
    evaluator = ScriptedEvaluator(n_slots, rng=Random(0))
    search = bench.search(evaluator)
    search.run()
    going_on = [task for task in evaluator.submitted if task.weights is not None]

    assert len(going_on) > 40
    assert all((tmp_path / one.path).exists() for one in files_of(bench).values())
    assert set(search.strategy.parents) <= files_of(bench).keys()
    assert len(files_of(bench)) <= len(search.strategy.parents) + 2 * N_PRUNED
    assert len(files_of(bench)) < len(bench.trained) / 2
