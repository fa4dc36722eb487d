"""Searches whose next candidate depends on what is known: asked for late, resumed by recalling."""

from random import Random

import pytest

from tests.support.mortal_store import Killed
from tests.support.records import genome_of_default
from tests.support.searching import TINY, Bench, ScriptedEvaluator, small_config
from tests.support.thorough import some
from vlga.ports.evaluation import FailureReason
from vlga.strategies import STRATEGIES, OptunaTpe, SteadyState

#: Optuna's take long: test_optuna_tpe.py.
STEADY = [
    name
    for name, kind in STRATEGIES.items()
    if issubclass(kind, SteadyState) and not issubclass(kind, OptunaTpe)
]

every_one = pytest.mark.parametrize("name", STEADY)


def config_of(name, *settings):
    """Give the configuration of a small search."""
    return small_config(f"strategy={name}", "budget.evaluations=24", *settings)


def now_and_then(task):
    """Fail for a reason of the network's, of the machine's, or not."""
    if task.seed % 7 == 0:
        return FailureReason.DIVERGED
    if task.seed % 5 == 0:
        return FailureReason.WORKER_LOST
    return task.seed / 2**63


@every_one
class TestSteadyState:
    def test_one_at_a_time_the_same_seed_gives_the_same_search(self, tmp_path, name):
        """Same candidates, same fitnesses, same winner; another seed another search."""
        benches = [
            Bench(tmp_path / str(n), config_of(name, f"seed={seed}"))
            for n, seed in enumerate((0, 0, 1))
        ]
        winners = [bench.run() for bench in benches]

        assert winners[0] == winners[1]
        assert benches[0].ledger == benches[1].ledger
        assert benches[0].ledger[0] != benches[2].ledger[0]

    @pytest.mark.parametrize("n_slots", [1, 3, 16])
    def test_nothing_is_asked_for_before_it_can_start(self, tmp_path, name, n_slots):
        """At most as many tasks are out as can run; of others it would be too early to decide."""
        n_out = []

        class Counting(ScriptedEvaluator):
            def submit(self, task):
                super().submit(task)
                n_out.append(len(self._out))

        bench = Bench(tmp_path, config_of(name))
        bench.run(Counting(n_slots, rng=Random(0)))

        assert len(n_out) == 24
        assert max(n_out) <= n_slots
        assert len(bench.store.searches["first"].candidates) - len(bench.reused) == 24

    @pytest.mark.parametrize(
        "settings", [(), (*TINY, "budget.evaluations=9")], ids=["default", "tiny"]
    )
    @pytest.mark.parametrize("n_slots", [1, 3])
    def test_killed_at_any_moment_it_goes_on_as_if_it_had_not_been(
        self, tmp_path, name, settings, n_slots
    ):
        """Where tasks end in the order in which they started, the end is the same, to the byte.

        Killed before every fifth write; before each under HYPOTHESIS_PROFILE=long.
        """
        whole = Bench(tmp_path, config_of(name, *settings))
        winner = whole.run(ScriptedEvaluator(n_slots))
        n_writes = len(whole.store.writes)

        assert n_writes > 20
        for n_left in some(range(n_writes), 5):
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

    @pytest.mark.parametrize("order", range(4))
    def test_after_any_order_of_ending_what_is_recorded_stands(self, tmp_path, name, order):
        """Many workers, failures, another number of workers after it: no candidate changes.

        The resumed strategy knows exactly those alive whom the first knew.
        """
        bench = Bench(tmp_path, config_of(name))
        bench.store.n_left = 30
        first = bench.search(ScriptedEvaluator(5, outcome=now_and_then, rng=Random(order)))
        with pytest.raises(Killed):
            first.run()
        bench.store.n_left = None
        stored = bench.store.searches["first"]
        candidates, outcomes = dict(stored.candidates), [*stored.outcomes]
        again = ScriptedEvaluator(2, outcome=now_and_then, rng=Random(order))
        second = bench.search(again)
        alive = []
        wait = again.wait

        def wait_and_see(timeout_seconds=None):
            alive.append([*second.strategy.alive])
            return wait(timeout_seconds)

        again.wait = wait_and_see
        second.run()

        told = {one.candidate_id for one, *_ in outcomes}
        assert alive[0] == first.strategy.alive
        assert {number: stored.candidates[number] for number in candidates} == candidates
        assert stored.outcomes[: len(outcomes)] == outcomes
        assert not told & {task.candidate_id for task in again.submitted}
        assert len(bench.trained) == 24

    def test_a_finished_one_trains_nothing(self, tmp_path, name):
        """Run again after its end it gives its winner from the ledger."""
        bench = Bench(tmp_path, config_of(name))
        winner = bench.run(ScriptedEvaluator(3, rng=Random(0)))
        ledger, again = bench.ledger, ScriptedEvaluator()

        assert bench.run(again) == winner
        assert bench.ledger == ledger
        assert not again.submitted


@pytest.mark.parametrize(("others", "known_wins"), [(0.92, True), (0.96, False)])
def test_the_first_founder_wins_unless_another_is_clearly_ahead(tmp_path, others, known_wins):
    """It has 0.9 of 250 images, with a standard error of 0.02; all others are as good."""
    config = config_of("ladder", "population.rungs=1", "population.max_blocks=3")
    founders = [genome_of_default().to_dict()]
    population = config.population.model_copy(update={"founders": founders})
    bench = Bench(tmp_path, config.model_copy(update={"population": population}))
    evaluator = ScriptedEvaluator(outcome=lambda task: others if task.candidate_id else 0.9)
    search = bench.search(evaluator)
    search.run()

    assert (search.best_networks(1)[0].id == 0) is known_wins
