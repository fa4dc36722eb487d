from collections import Counter

import pytest

from tests.support.searching import TINY
from tests.support.synthetic import any_fitness, ask_round, completed, failed, play
from vlga.config.load import load_config
from vlga.networks.phenotype import decode
from vlga.ports.evaluation import FailureReason
from vlga.strategies import make_strategy

SHAPE = (1, 8, 8)


def make(*settings, preset="young2015"):
    """Give the classical genetic algorithm on small images."""
    settings = ["strategy=fixed_length", "budget.evaluations=1000", *settings]
    return make_strategy(load_config(preset=preset, settings=settings), SHAPE, 10)


@pytest.mark.parametrize("preset", ["young2015", "xiao2020", "default"])
def test_every_network_has_three_convolutions(preset):
    """Two in the first block, one in the second, in any space."""
    strategy = make("population.size=8", preset=preset)
    candidates = [one for batch in play(strategy, n_rounds=8) for one in batch]

    for candidate in candidates:
        first, second = candidate.genome.blocks
        assert (first.include_b, second.include_b) == (True, False)
        assert decode(candidate.genome, SHAPE, 10).depth == 3
        assert (candidate.phase, candidate.weights_from) == (0, None)


def test_it_searches_every_gene_that_the_shape_leaves():
    """All of the default space but what the second block does not have."""
    strategy = make(preset="default")
    varied = set(strategy.space.varied_genes(2))
    whole = set(load_config().space.build().varied_genes(2))

    assert whole - varied == {
        "blocks.0.include_b", "blocks.1.include_b", "blocks.1.channels_b", "blocks.1.kernel_b",
    }  # fmt: skip


def test_the_best_lives_on_and_is_not_trained_again():
    """One elite a generation: the others are offspring, and the best never falls."""
    strategy = make("population.size=6")
    rounds = play(strategy, n_rounds=10)
    ask_round(strategy)

    assert [len(batch) for batch in rounds] == [6, *[5] * 9]
    assert strategy.logbook.select("n_individuals") == [6] * 10
    bests = strategy.logbook.select("best")
    assert bests == sorted(bests)
    assert strategy.best in strategy.population


def test_parents_are_of_the_last_generation_and_its_elite():
    """No one else is alive."""
    strategy, alive = make("population.size=6"), set()
    for _ in range(6):
        batch = ask_round(strategy)
        for candidate in batch:
            assert set(candidate.parents) <= alive
            assert len(candidate.parents) == (2 if alive else 0)
        elite = {strategy.best.id} if strategy.best else set()
        for candidate in batch:
            strategy.tell(completed(candidate, any_fitness(candidate)))
        alive = {*elite, *(candidate.id for candidate in batch)}


def test_a_parent_is_the_fittest_of_three():
    """The k-th of six wins a tournament as often as it should."""
    counts = Counter()
    for seed in range(400):
        strategy = make("population.size=6", f"seed={seed}")
        for candidate in ask_round(strategy):
            strategy.tell(completed(candidate, candidate.id / 10))
        counts.update(parent for one in ask_round(strategy) for parent in one.parents)

    for rank in range(6):
        expected = ((6 - rank) ** 3 - (5 - rank) ** 3) / 6**3
        assert counts[5 - rank] / counts.total() == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_offspring_are_crossed_and_by_chance_mutated(probability):
    """By the probability set; what was not mutated has its parents' genes."""
    strategy = make("population.size=40", f"population.mutation_probability={probability}")
    known = {}
    for candidate in ask_round(strategy):
        known[candidate.id] = candidate.genome.genes()
        strategy.tell(completed(candidate, 0.5))
    n_mutated, offspring = 0, ask_round(strategy)
    for one in offspring:
        strange = [
            address
            for address, allele in one.genome.genes().items()
            if allele not in {known[parent][address] for parent in one.parents}
        ]
        assert one.operator in {"uniform_crossover", "uniform_crossover+mutate_any_gene"}
        n_mutated += one.operator.endswith("mutate_any_gene")
        assert len(strange) <= one.operator.endswith("mutate_any_gene")

    assert n_mutated / len(offspring) == pytest.approx(probability, abs=0.2)


def test_an_elite_alone_ends_the_search():
    """When all offspring fail, one individual is left; the reason counts the failures."""
    strategy = make("population.size=4")
    for candidate in ask_round(strategy):
        strategy.tell(completed(candidate, 0.5))
    for candidate in ask_round(strategy):
        strategy.tell(failed(candidate, FailureReason.DIVERGED))

    assert strategy.ask(1) == ()
    assert strategy.ended_by.endswith("generation 1 left 1; failures so far: 3 diverged")
    assert strategy.best is not None


def test_a_space_searched_through_ends_the_search():
    """Four networks have nothing more to give, whatever the budget."""
    strategy = make(*TINY, "population.size=4", preset="default")
    rounds = play(strategy, any_fitness, 10_000)
    networks = {one.fingerprint for batch in rounds for one in batch}

    assert strategy.finished
    assert len(networks) <= 4
    assert len(rounds) < 120


def test_a_spell_without_new_networks_does_not_end_it():
    """A new network begins the count anew; the end comes twenty populations after the last."""
    strategy = make(*TINY, "population.size=4", preset="default")
    last_new, seen = 0, set()
    for candidate in (one for batch in play(strategy, any_fitness, 10_000) for one in batch):
        if candidate.fingerprint not in seen:
            last_new = candidate.id
            seen.add(candidate.fingerprint)

    assert 20 * 4 <= candidate.id - last_new < 20 * 4 + 3
