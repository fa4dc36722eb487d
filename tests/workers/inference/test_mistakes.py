"""Counting what a network gets wrong."""

from __future__ import annotations

import numpy as np
import pytest

from vlga.ports.mistakes import Bin, Mistake
from workers.inference.mistakes import N_WORST, count_mistakes

CLASSES = ("cat", "dog", "owl")
#: Two cats, one taken for a dog; two dogs, both taken for cats, one surely; no owl.
LABELS = np.array([0, 0, 1, 1])
PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.4, 0.6, 0.0], [0.7, 0.3, 0.0], [1.0, 0.0, 0.0]])


@pytest.fixture
def mistakes():
    return count_mistakes(CLASSES, LABELS, PROBABILITIES)


def test_a_row_is_what_images_of_a_class_are_taken_for(mistakes):
    assert mistakes.confusion == ((1, 1, 0), (2, 0, 0), (0, 0, 0))
    assert mistakes.n_images == 4
    assert mistakes.n_wrong == 3
    assert mistakes.accuracy == 0.25
    assert mistakes.class_accuracies == (0.5, 0, None)


def test_the_surest_mistake_comes_first(mistakes):
    assert mistakes.worst == (
        Mistake(3, "dog", "cat", 1.0),
        Mistake(2, "dog", "cat", 0.7),
        Mistake(1, "cat", "dog", 0.6),
    )


def test_calibration_is_how_far_confidence_is_from_accuracy(mistakes):
    """In bins of a fifteenth: 0.6 is in the tenth, 0.7 in the eleventh, 1 in the last."""
    assert mistakes.bins == (Bin(1, 0.6, 0.0), Bin(2, pytest.approx(0.7), 0.5), Bin(1, 1.0, 0.0))
    assert mistakes.confidence == pytest.approx(0.75)
    assert mistakes.calibration_error == pytest.approx((0.6 + 2 * 0.2 + 1.0) / 4)


def test_of_many_mistakes_the_surest_are_named():
    sure = np.linspace(0.5, 1, 40)
    found = count_mistakes(("a", "b"), np.ones(40, np.int64), np.stack([sure, 1 - sure], 1))

    assert found.n_wrong == 40
    assert [one.index for one in found.worst] == [*range(39, 39 - N_WORST, -1)]


def test_no_mistake_is_no_mistake():
    found = count_mistakes(CLASSES, np.array([2]), np.array([[0.0, 0.0, 1.0]]))

    assert found.worst == ()
    assert found.calibration_error == 0
