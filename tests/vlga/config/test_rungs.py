"""How long trainings are on each rung."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlga.config.load import load_config
from vlga.config.rungs import rung_lengths, training_epochs


def config(epochs, rungs=3, strategy="ladder", *settings):
    loaded = load_config(
        settings=[f"training.epochs={epochs}", f"population.rungs={rungs}", *settings]
    )
    return loaded.model_copy(update={"strategy": strategy})


@pytest.mark.parametrize(
    ("epochs", "rungs", "lengths"),
    [
        (9, 3, (1, 3, 9)),
        (27, 3, (3, 9, 27)),
        (30, 3, (3, 10, 30)),
        (6, 3, (1, 2, 6)),
        (3, 3, (1, 3)),
        (1, 3, (1,)),
        (9, 2, (3, 9)),
        (9, 1, (9,)),
    ],
)
def test_each_rung_is_a_third_of_the_next(epochs, rungs, lengths):
    """Rounded; where a training of no epoch or of the same length would be left, a rung fewer."""
    assert rung_lengths(config(epochs, rungs)) == lengths


def test_other_strategies_have_trainings_of_one_length():
    """Whatever the setting says."""
    assert rung_lengths(config(9, 3, "random_search")) == (9,)
    assert training_epochs(config(9, 3, "random_search"), 0) == 9


@given(st.integers(1, 400), st.integers(1, 9))
def test_what_is_trained_up_to_the_top_is_the_whole(epochs, rungs):
    """Each step at least one epoch; a network that inherits nothing is trained anew each time."""
    ladder = config(epochs, rungs)
    lengths = rung_lengths(ladder)
    steps = [training_epochs(ladder, rung) for rung in range(len(lengths))]
    anew = config(epochs, rungs, "ladder", "training.inherit_weights=false")

    assert sum(steps) == lengths[-1] == epochs
    assert min(steps) >= 1
    assert [training_epochs(anew, rung) for rung in range(len(lengths))] == [*lengths]
