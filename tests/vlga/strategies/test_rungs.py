"""Who goes up a ladder, in which order, and what a network is worth."""

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.support.records import candidate
from vlga.ports.candidate import Individual
from vlga.ports.evaluation import Evaluation
from vlga.strategies.rungs import Rungs


def network(number, accuracy, loss=None, rung=0, fingerprint=None):
    """Give a network that completed; equal fingerprints are one network."""
    made = replace(candidate(number), rung=rung, fingerprint=fingerprint or f"{number:016x}")
    return Individual(made, Evaluation(number, 1, 0, accuracy, validation_loss=loss))


def on_rung_0(*accuracies, n_rungs=3):
    rungs = Rungs(n_rungs)
    for number, accuracy in enumerate(accuracies):
        rungs.take(network(number, accuracy))
    return rungs


def always(_rung):
    return True


def climb(rungs, may_reach=always):
    """Promote all who may go up; give their numbers in order."""
    gone = []
    while (one := rungs.promotable(may_reach)) is not None:
        rungs.promote(one.id)
        gone.append(one.id)
    return gone


def test_the_best_third_goes_up_best_first():
    """Of three one, of five still one, of six two."""
    assert climb(on_rung_0(0.5, 0.7)) == []
    assert climb(on_rung_0(0.5, 0.7, 0.6)) == [1]
    assert climb(on_rung_0(0.5, 0.7, 0.6, 0.4, 0.3)) == [1]
    assert climb(on_rung_0(0.5, 0.7, 0.6, 0.4, 0.3, 0.8)) == [5, 1]


def test_with_a_cost_the_ends_of_the_front_go_up_first():
    """Worked by hand: four of six are on the front, the fittest and the cheapest at its ends."""
    rungs = Rungs(2)
    told = [(0.5, -3.0), (0.7, -4.0), (0.6, -5.0), (0.4, -4.0), (0.3, -1.0), (0.8, -6.0)]
    for number, (accuracy, saving) in enumerate(told):
        rungs.take(network(number, accuracy), (saving,))

    assert climb(rungs) == [5, 4]
    rungs.take(network(6, 0.55, 0.0), (-3.5,))
    assert rungs.promotable(always) is None
    for number in (7, 8):
        rungs.take(network(number, 0.1), (-9.0,))
    assert rungs.promotable(always).id == 1  # further from its neighbours than 0 and 6


def test_the_first_goes_up_however_it_does():
    """All the way, before all others, if it is to be kept; unless it fails or may not."""
    rungs = Rungs(3, keeps_first=True)
    for number, accuracy in enumerate((0.1, 0.9, 0.8)):
        rungs.take(network(number, accuracy))
    assert rungs.promotable(lambda _: False) is None
    assert rungs.wanted == (0, 1, 2)
    assert climb(rungs) == [0, 1]

    rungs.take(network(3, 0.2, rung=1, fingerprint=f"{0:016x}"))
    assert climb(rungs) == [3]
    rungs.take(network(4, 0.3, rung=2, fingerprint=f"{0:016x}"))
    assert climb(rungs) == []


def test_a_first_that_failed_goes_nowhere():
    """And no other takes its part."""
    rungs = Rungs(2, keeps_first=True)
    rungs.fail(candidate(0))
    rungs.take(network(1, 0.5))

    assert climb(rungs) == []


def test_of_equally_fit_ones_the_one_of_lower_loss_goes_up():
    """An unknown loss counts as the highest; then the one made first."""
    rungs = Rungs(2)
    for number, loss in enumerate((None, 0.5, 0.4, 0.4, 0.9, None)):
        rungs.take(network(number, 0.9, loss))

    assert climb(rungs) == [2, 3]


def test_failures_count_as_the_worst():
    """They make room for one above them, and never go up themselves."""
    rungs = on_rung_0(0.5)
    for number in (1, 2):
        rungs.fail(candidate(number))

    assert climb(rungs) == [0]
    assert Rungs(2).promotable(always) is None


def test_equal_networks_are_one():
    """Told again, a network is not new and changes nothing."""
    rungs = on_rung_0(0.5, 0.7)

    assert not rungs.take(network(2, 0.7, fingerprint=f"{1:016x}"))
    assert climb(rungs) == []
    assert rungs.take(network(3, 0.6))
    assert climb(rungs) == [1]


def test_the_higher_rung_comes_first():
    """What is closest to the top is finished before others begin; nobody leaves the top."""
    rungs = on_rung_0(0.5, 0.7, 0.6, 0.1, 0.2, 0.3)
    for number in (10, 11, 12):
        rungs.take(network(number, 0.8 + number / 100, rung=1))
        rungs.take(network(number + 10, 0.9, rung=2))

    assert climb(rungs) == [12, 1, 2]


def test_who_may_not_reach_the_next_rung_stays():
    """Such as where the rest of the budget is too short for it."""
    rungs = on_rung_0(0.5, 0.7, 0.6)
    for number in (10, 11, 12):
        rungs.take(network(number, 0.8, rung=1))

    assert climb(rungs, lambda rung: rung == 1) == [1]
    assert climb(rungs, lambda rung: False) == []


def test_the_best_left_needs_no_third():
    """At the end of a budget, the best that has not gone up does."""
    rungs = on_rung_0(0.5, 0.7)
    rungs.promote(1)

    assert rungs.best_left(always).id == 0
    rungs.promote(0)
    assert rungs.best_left(always) is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_whoever_goes_up_was_wanted(accuracies):
    """The weights of all who may yet go up are asked for, and of at most half of many."""
    rungs = Rungs(2)
    for number, accuracy in enumerate(accuracies):
        rungs.take(network(number, accuracy))
        wanted = rungs.wanted
        assert len(wanted) <= max(12, math.ceil((number + 1) / 2))
        one = rungs.promotable(always)
        if one is not None:
            assert one.id in wanted
            rungs.promote(one.id)
            assert one.id not in rungs.wanted


def test_a_value_adds_what_going_up_added_for_others():
    """So that networks of all rungs compare; without any step known it is the score alone."""
    rungs = Rungs(3)
    first = network(0, 0.9)
    rungs.take(first)

    assert rungs.value(first) == -math.log(1 - 0.9 + 1e-3)
    rungs.take(network(1, 0.95, rung=1, fingerprint=f"{0:016x}"))
    other = network(2, 0.8)
    step = math.log(0.101) - math.log(0.051)
    assert math.isclose(rungs.value(other), -math.log(0.201) + step)
    assert rungs.value(network(3, 1.0, rung=2)) == -math.log(1e-3)
