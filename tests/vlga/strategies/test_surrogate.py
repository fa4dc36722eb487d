"""A model that foresees how good networks will be."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlga.strategies.surrogate import Surrogate, normal_ranks


def points(n, seed=0):
    """Give features of n networks: two of training, three of shape, of which one is constant."""
    rng = random.Random(seed)
    return [((rng.random(), rng.random()), (rng.random(), rng.random(), 7.0)) for _ in range(n)]


def hill(point):
    """Give a score that one number of each group decides, highest at 1/2."""
    (rate, _), (depth, _, _) = point
    return -((rate - 0.5) ** 2) - 2 * (depth - 0.5) ** 2


def correlation(known, values, new):
    means, _ = Surrogate(known, values, [1.0] * len(known)).predict(new)
    return np.corrcoef(means, [hill(one) for one in new])[0, 1]


@given(st.lists(st.floats(-1e9, 1e9) | st.just(float("-inf")), min_size=2, max_size=40))
def test_normal_ranks_know_only_the_order(values):
    """Equal values have equal scores, greater ones greater scores; their sum is 0 without ties."""
    scores = normal_ranks(values)

    for first, own in zip(values, scores, strict=True):
        for second, other in zip(values, scores, strict=True):
            assert (first < second) == (own < other)
    if len(set(values)) == len(values):
        assert abs(scores.sum()) < 1e-6


def test_it_foresees_what_can_be_foreseen():
    """Networks near good ones are expected to be good."""
    known, new = points(60), points(200, seed=1)

    assert correlation(known, [hill(one) for one in known], new) > 0.8


def test_failures_far_below_the_rest_do_not_blind_it():
    """A score of minus infinity is the last rank, no more."""
    known, new = points(60), points(200, seed=1)
    values = [hill(one) if number % 6 else float("-inf") for number, one in enumerate(known)]

    assert correlation(known, values, new) > 0.3


def test_where_it_has_been_it_is_sure_and_elsewhere_not():
    """The deviation is smallest at known networks, and at most that of a network drawn blindly."""
    known = points(40)
    model = Surrogate(known, [hill(one) for one in known], [1.0] * 40)
    _, here = model.predict(known)
    _, far = model.predict([((9.0, 9.0), (9.0, 9.0, 7.0))])

    assert here.max() < far[0] <= 1


def test_of_noise_it_expects_nothing():
    """All networks are then expected to be about the same."""
    rng = random.Random(3)
    known = points(60)
    means, _ = Surrogate(known, [rng.random() for _ in known], [1.0] * 60).predict(points(50, 1))

    assert np.abs(means).max() < 0.5


@pytest.mark.parametrize("n", [2, 11, 150])
def test_the_same_rows_give_the_same_predictions(n):
    """To the last bit: a search that is resumed decides as if it had not been stopped."""
    known = points(n)
    values = [hill(one) for one in known]
    twice = [Surrogate(known, values, [1.0] * n).predict(points(20, 1)) for _ in range(2)]

    assert (twice[0][0] == twice[1][0]).all()
    assert (twice[0][1] == twice[1][1]).all()


def test_constant_features_alone_say_nothing():
    """Such as those of genes of which nothing is known."""
    model = Surrogate([((), ())] * 12, [float(n) for n in range(12)], [1.0] * 12)
    means, _ = model.predict([((), ())] * 3)

    assert np.abs(means).max() < 1e-6
