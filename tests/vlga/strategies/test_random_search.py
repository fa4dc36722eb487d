from collections import Counter

import pytest

from tests.support.searching import TINY
from tests.support.synthetic import any_fitness, completed, play
from vlga.config.load import load_config
from vlga.strategies import make_strategy


def make(*settings):
    """Give a random search in the paper's space."""
    settings = ["strategy=random_search", "budget.evaluations=1000", *settings]
    return make_strategy(load_config(preset="xiao2020", settings=settings), (1, 8, 8), 10)


def test_it_draws_every_length_equally_often():
    """One to five blocks, two to ten convolutions at most: the baseline of the paper."""
    lengths = Counter(len(candidate.genome.blocks) for candidate in make().ask(2000))

    assert set(lengths) == {1, 2, 3, 4, 5}
    for n in lengths.values():
        assert n / 2000 == pytest.approx(1 / 5, abs=0.03)


def test_it_heeds_the_deepest_network_allowed():
    """`max_blocks` replaces the five."""
    candidates = make("population.max_blocks=2").ask(100)

    assert {len(candidate.genome.blocks) for candidate in candidates} == {1, 2}


def test_its_candidates_have_no_parents_and_train_from_scratch():
    """Each is drawn anew, in the search's one phase."""
    for candidate in make().ask(50):
        assert (candidate.parents, candidate.weights_from) == ((), None)
        assert (candidate.operator, candidate.phase) == ("sample", 0)


def test_it_never_waits_and_never_ends():
    """Its budget ends it: outcomes do not matter, told or not."""
    strategy, silent = make(), make()
    rounds = play(strategy, n_rounds=5)

    assert silent.ask(100) == tuple(candidate for batch in rounds for candidate in batch)
    assert not strategy.finished
    assert not silent.finished


def test_its_batches_are_as_large_as_a_population():
    """They are its generations in tables and plots."""
    generations = [candidate.generation for candidate in make("population.size=4").ask(10)]

    assert generations == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]


def test_its_logbook_counts_what_was_told_between_batches():
    """A batch is logged when the next one is drawn."""
    strategy = make("population.size=4")
    for candidate in strategy.ask(4)[:3]:
        strategy.tell(completed(candidate, 0.5))
    strategy.ask(1)

    assert strategy.logbook.select("n_individuals") == [3]


def test_a_space_searched_through_ends_the_search():
    """A space of four networks has nothing more to give, whatever the budget."""
    settings = ["strategy=random_search", "budget.evaluations=99", "population.max_blocks=1", *TINY]
    strategy = make_strategy(load_config(settings=settings), (1, 8, 8), 10)
    rounds = play(strategy, any_fitness, 10_000)

    assert strategy.finished
    assert sum(map(len, rounds)) < 1000
