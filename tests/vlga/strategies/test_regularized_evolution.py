from collections import Counter

import pytest

from tests.support.searching import TINY
from tests.support.synthetic import any_fitness, ask_round, completed, failed, play, step
from vlga.config.load import load_config
from vlga.strategies import make_strategy


def make(*settings, preset="xiao2020"):
    """Give a regularized evolution on small images."""
    settings = ["strategy=regularized_evolution", "budget.evaluations=1000", *settings]
    return make_strategy(load_config(preset=preset, settings=settings), (1, 8, 8), 10)


def ids(strategy):
    """Give who is alive, the oldest first."""
    return [one.id for one in strategy.alive]


def test_it_begins_with_random_networks_of_every_length():
    """One to five blocks, as many as a population has individuals; no parents."""
    founders = make("population.size=1000").ask(5000)
    lengths = Counter(len(candidate.genome.blocks) for candidate in founders)

    assert len(founders) == 1000
    assert set(lengths) == {1, 2, 3, 4, 5}
    assert min(lengths.values()) / 1000 == pytest.approx(1 / 5, abs=0.05)
    assert {(one.parents, one.operator, one.generation) for one in founders} == {((), "sample", 0)}


def test_it_heeds_the_deepest_network_allowed():
    """`max_blocks` replaces the five, for founders and for children."""
    strategy = make("population.size=8", "population.max_blocks=2")
    lengths = {len(step(strategy).genome.blocks) for _ in range(200)}

    assert lengths == {1, 2}


def test_the_oldest_dies_not_the_worst():
    """Alive are the last told, whatever their fitness: the best of all dies of age."""
    strategy = make("population.size=5")
    for number in range(20):
        step(strategy, lambda one: 1 - one.id / 100)
        assert ids(strategy) == [*range(max(0, number - 4), number + 1)]

    assert strategy.best.id == 0


def test_age_counts_from_the_telling():
    """Who was trained longer is younger."""
    strategy = make("population.size=3")
    first, second, third = strategy.ask(3)
    for candidate in (third, first, second):
        strategy.tell(completed(candidate, 0.5))
    assert ids(strategy) == [2, 0, 1]
    step(strategy)

    assert ids(strategy) == [0, 1, 3]


def test_a_parent_is_the_fittest_of_a_quarter():
    """Of eight, two are drawn with replacement; the k-th fittest is chosen as it should be."""
    counts = Counter()
    for seed in range(100):
        strategy = make("population.size=8", f"seed={seed}")
        for candidate in ask_round(strategy):
            strategy.tell(completed(candidate, candidate.id / 10))
        counts.update(parent for one in strategy.ask(20) for parent in one.parents)

    for rank in range(8):
        expected = ((8 - rank) ** 2 - (7 - rank) ** 2) / 8**2
        assert counts[7 - rank] / 2000 == pytest.approx(expected, abs=0.03)


def test_a_child_is_its_parent_with_one_mutation():
    """A gene, a block more or a block less; it trains from scratch."""
    strategy, genomes, operators = make("population.size=8"), {}, Counter()
    for _ in range(150):
        child = step(strategy)
        genomes[child.id] = child.genome
        assert child.weights_from is None
        operators[child.operator] += 1
        if child.parents:
            [parent] = child.parents
            n_more = len(child.genome.blocks) - len(genomes[parent].blocks)
            assert n_more == {"insert_block": 1, "remove_block": -1}.get(child.operator, 0)

    assert set(operators) == {"sample", "mutate_any_gene", "insert_block", "remove_block"}


def test_children_wait_until_a_sample_can_be_drawn():
    """Then they are asked for while founders are still out."""
    strategy = make("population.size=12")
    founders = strategy.ask(100)
    assert (len(founders), strategy.ask(1), strategy.finished) == (12, (), False)
    for candidate in founders[:2]:
        strategy.tell(completed(candidate, 0.5))
    assert strategy.ask(1) == ()
    strategy.tell(completed(founders[2], 0.5))

    assert len(strategy.ask(7)) == 7


def test_each_child_comes_of_those_alive_when_it_is_asked_for():
    """Not of those alive when the one before was."""
    strategy = make("population.size=2")
    for candidate in strategy.ask(2):
        strategy.tell(completed(candidate, 0.1))
    child = step(strategy, lambda _: 0.9)
    later = strategy.ask(30)

    assert {parent for one in later for parent in one.parents} == {1, child.id}


def test_founders_that_fail_are_replaced():
    """The population fills up all the same."""
    strategy = make("population.size=4")
    for candidate in strategy.ask(4):
        strategy.tell(failed(candidate) if candidate.id < 3 else completed(candidate, 0.5))
    replacements = strategy.ask(3)

    assert [one.operator for one in replacements] == ["sample"] * 3
    assert strategy.ask(1) == ()


def test_founders_that_fail_are_replaced_while_children_are_out():
    """Children take nobody's place until they are told."""
    strategy = make("population.size=4")
    founders = strategy.ask(4)
    for candidate in founders[:2]:
        strategy.tell(completed(candidate, 0.5))
    children = strategy.ask(2)
    for candidate in founders[2:]:
        strategy.tell(failed(candidate))

    assert all(one.parents for one in children)
    assert [bool(one.parents) for one in strategy.ask(3)] == [False, False, True]


def test_generations_count_candidates_and_the_logbook_outcomes():
    """A population's worth each."""
    strategy = make("population.size=4")
    generations = [step(strategy).generation for _ in range(12)]

    assert generations == [0] * 4 + [1] * 4 + [2] * 4
    assert strategy.logbook.select("generation") == [0, 1, 2]
    assert strategy.logbook.select("n_individuals") == [4, 4, 4]


def test_a_space_searched_through_ends_the_search():
    """A space of four networks has nothing more to give, whatever the budget."""
    strategy = make(*TINY, "population.size=4", "population.max_blocks=1", preset="default")
    rounds = play(strategy, any_fitness, 10_000)

    assert strategy.finished
    assert sum(map(len, rounds)) < 1000
