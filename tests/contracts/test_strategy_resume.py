"""The contract of a strategy that is stopped and goes on: its state is never stored."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.test_strategy import N_ROUNDS, SIZE, SLOW, make
from tests.support.searching import TINY
from tests.support.synthetic import any_fitness, completed, deeper_is_better, failed, play
from vlga.config.strategies import KNOWN_NETWORKS
from vlga.strategies import STRATEGIES, SteadyState

STEADY = [name for name, kind in STRATEGIES.items() if issubclass(kind, SteadyState)]
QUICK = [name for name in STEADY if name not in SLOW]
#: A study's grid keeps the same by giving the same trials whatever it is told (test_grid.py).
OTHERS = [name for name in STRATEGIES if name not in STEADY and name not in KNOWN_NETWORKS]


def outcome(candidate):
    """Give a fitness, or now and then a failure."""
    if candidate.id % 7 == 3:
        return failed(candidate)
    return completed(candidate, deeper_is_better(candidate))


def work(strategy, n_told, dice):
    """Work through candidates, three at a time in any order, and stop with some of them out.

    Returns:
        All candidates given; outcomes by candidate in the order of telling.
    """
    asked, out, recorded = [], [], {}
    while len(recorded) < n_told:
        more = strategy.ask(3 - len(out))
        asked.extend(more)
        out.extend(more)
        candidate = out.pop(dice.randrange(len(out)))
        recorded[candidate.id] = outcome(candidate)
        strategy.tell(recorded[candidate.id])
    return asked, recorded


def go_on(strategy, out, n_rounds=N_ROUNDS):
    """Tell what was out, then play on; give what was played and the best."""
    for candidate in out:
        strategy.tell(completed(candidate, deeper_is_better(candidate)))
    return play(strategy, deeper_is_better, n_rounds), strategy.best


n_tellings = st.integers(0, 5 * SIZE)
any_dice = st.randoms(use_true_random=False)


@pytest.mark.parametrize("name", OTHERS)
@settings(max_examples=15)
@given(n_told=n_tellings, dice=any_dice)
def test_told_its_history_from_the_start_it_goes_on_as_the_original(name, n_told, dice):
    """A search stopped anywhere is resumed without its state: nothing differs from then on.

    The replay is given what is recorded as soon as it asks for it.
    """
    original = make(name)
    asked, recorded = work(original, n_told, dice)
    replay, out = make(name), []
    for _ in asked:
        [candidate] = replay.ask(1)
        if candidate.id in recorded:
            replay.tell(recorded[candidate.id])
        else:
            out.append(candidate)

    assert out == [candidate for candidate in asked if candidate.id not in recorded]
    assert go_on(original, out) == go_on(replay, out)


def check_recalled(name, n_told, dice, n_rounds=N_ROUNDS):
    """Stop a strategy somewhere, recall it in another, and see that the two go on alike."""
    original = make(name)
    asked, recorded = work(original, n_told, dice)
    resumed = make(name)
    resumed.recall(asked)
    for evaluation in recorded.values():
        resumed.tell(evaluation)
    out = [candidate for candidate in asked if candidate.id not in recorded]

    assert resumed.alive == original.alive
    assert [*resumed.logbook] == [*original.logbook]
    assert (resumed.phase, resumed.generation) == (original.phase, original.generation)
    assert go_on(original, out, n_rounds) == go_on(resumed, out, n_rounds)


@pytest.mark.parametrize("name", QUICK)
@settings(max_examples=25)
@given(n_told=n_tellings, dice=any_dice)
def test_a_steady_state_recalls_its_candidates_and_is_told_in_the_recorded_order(
    name, n_told, dice
):
    """It is then where the original was, though that was asked at other moments."""
    check_recalled(name, n_told, dice)


@pytest.mark.parametrize("name", sorted(SLOW))
@pytest.mark.parametrize("n_told", [SIZE, 3 * SIZE])
def test_so_does_one_of_optuna_s(name, n_told):
    """Few examples, since they take long."""
    check_recalled(name, n_told, Random(n_told), n_rounds=1)


@pytest.mark.parametrize("name", STEADY)
def test_a_steady_state_knows_again_which_trainings_are_not_new(name):
    """A space that was searched through stays so."""
    settings = (*TINY, "population.max_blocks=1", "training.inherit_weights=false")
    original = make(name, *settings)
    candidates = [one for batch in play(original, n_rounds=10_000) for one in batch]
    resumed = make(name, *settings)
    resumed.recall(candidates)
    for candidate in candidates:
        resumed.tell(completed(candidate, any_fitness(candidate)))

    assert original.finished
    assert resumed.ask(1) == ()
    assert resumed.finished
