"""Random networks on the lowest rung, then the best of them to the top."""

from collections import Counter

from tests.support.synthetic import any_fitness, completed
from tests.vlga.strategies.test_ladder import make as make_ladder
from tests.vlga.strategies.test_ladder import walk


def make(*settings):
    """Give one with rungs of 1, 3 and 9 epochs."""
    return make_ladder("strategy=one_epoch_then_best", *settings)


def best_of_rung(walked, rung, n):
    """Give the genomes of the fittest candidates of a rung."""
    there = sorted((one for one in walked if one.rung == rung), key=lambda one: -any_fitness(one))
    return [one.genome for one in there[:n]]


def test_the_best_three_go_to_the_top_and_all_else_is_spent_on_the_lowest_rung():
    """Of 100 epochs three climbs of 2 and 6 take 24."""
    walked = walk(make("budget.epochs=100"), 1000, epochs=100)
    n_of = Counter(one.rung for one in walked)

    assert n_of == {0: 76, 1: 3, 2: 3}
    assert [one.rung for one in walked[76:]] == [1, 2] * 3
    assert [one.genome for one in walked if one.rung == 2] == best_of_rung(walked, 0, 3)


def test_a_budget_of_trainings_is_shared_likewise():
    """Three climbs take two trainings each."""
    walked = walk(make("budget.evaluations=40"), 40)

    assert [one.rung for one in walked] == [0] * 34 + [1, 2] * 3


def test_what_is_left_in_the_end_goes_to_the_next_best():
    """Networks that are known already cost nothing, so that more may be left than was kept."""
    walked = walk(make("budget.evaluations=40"), 44)

    assert [one.genome for one in walked if one.rung == 2] == best_of_rung(walked, 0, 5)


def test_more_workers_than_climbers_wait_for_what_the_three_will_need():
    """The fourth does not take the epochs of the first."""
    strategy, left = make("budget.epochs=34"), 34
    for one in strategy.ask(10, left):
        strategy.tell(completed(one, any_fitness(one)))
    climbing = strategy.ask(8, 24)

    assert [one.rung for one in climbing] == [1, 1, 1]
    for one in climbing:
        strategy.tell(completed(one, any_fitness(one)))
    assert [one.rung for one in strategy.ask(8, 18)] == [2, 2, 2]


def test_on_a_single_rung_it_is_random_search():
    """There is nowhere to go."""
    walked = walk(make("population.rungs=1", "budget.epochs=90"), 1000, epochs=90)

    assert [one.operator for one in walked] == ["sample"] * 10
