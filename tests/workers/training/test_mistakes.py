"""Counting what a network gets wrong."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from vlga.ports.mistakes import Bin
from workers.data.dataset import LabelledImages
from workers.training.mistakes import N_WORST, count_mistakes

CLASSES = ("cat", "dog", "owl")
#: Two cats, one taken for a dog; two dogs, both taken for cats, one surely; no owl.
LABELS = np.array([0, 0, 1, 1])
IMAGES = np.arange(4 * 3 * 5 * 6, dtype=np.uint8).reshape(4, 3, 5, 6)
FOUND = np.array([0, 1, 0, 0])
CONFIDENCES = np.array([0.7, 0.6, 0.7, 1.0], np.float32)


@pytest.fixture
def mistakes():
    return count_mistakes(CLASSES, LabelledImages(IMAGES, LABELS), FOUND, CONFIDENCES)


def test_a_row_is_what_images_of_a_class_are_taken_for(mistakes):
    assert mistakes.confusion == ((1, 1, 0), (2, 0, 0), (0, 0, 0))
    assert mistakes.n_images == 4
    assert mistakes.n_wrong == 3
    assert mistakes.accuracy == 0.25
    assert mistakes.class_accuracies == (0.5, 0, None)


def test_the_surest_mistake_comes_first(mistakes):
    shown = [(one.index, one.is_a, one.taken_for, one.confidence) for one in mistakes.worst]

    assert shown == [
        (3, "dog", "cat", 1.0),
        (2, "dog", "cat", pytest.approx(0.7)),
        (1, "cat", "dog", pytest.approx(0.6)),
    ]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_mistake_has_its_picture(channels):
    images = LabelledImages(np.ascontiguousarray(IMAGES[:, :channels]), LABELS)
    worst = count_mistakes(CLASSES, images, FOUND, CONFIDENCES).worst[0]
    pixels = np.asarray(Image.open(io.BytesIO(worst.png)))

    assert (pixels.reshape(5, 6, channels) == images.images[3].transpose(1, 2, 0)).all()


def test_the_picture_of_a_large_image_is_smaller():
    """A page has some of them."""
    images = LabelledImages(np.zeros((4, 3, 100, 200), np.uint8), LABELS)
    worst = count_mistakes(CLASSES, images, FOUND, CONFIDENCES).worst[0]

    assert Image.open(io.BytesIO(worst.png)).size == (64, 32)


def test_calibration_is_how_far_confidence_is_from_accuracy(mistakes):
    """In bins of a fifteenth: 0.6 is in the tenth, 0.7 in the eleventh, 1 in the last."""
    assert mistakes.bins == (
        Bin(1, pytest.approx(0.6), 0.0),
        Bin(2, pytest.approx(0.7), 0.5),
        Bin(1, 1.0, 0.0),
    )
    assert mistakes.confidence == pytest.approx(0.75)
    assert mistakes.calibration_error == pytest.approx((0.6 + 2 * 0.2 + 1.0) / 4)


def test_of_many_mistakes_the_surest_are_named():
    sure = np.linspace(0.5, 1, 40, dtype=np.float32)
    images = LabelledImages(np.zeros((40, 1, 2, 2), np.uint8), np.ones(40, np.int64))
    found = count_mistakes(("a", "b"), images, np.zeros(40, np.int64), sure)

    assert found.n_wrong == 40
    assert [one.index for one in found.worst] == [*range(39, 39 - N_WORST, -1)]


def test_no_mistake_is_no_mistake():
    images = LabelledImages(IMAGES[:1], np.array([2]))
    found = count_mistakes(CLASSES, images, np.array([2]), np.ones(1, np.float32))

    assert found.worst == ()
    assert found.calibration_error == 0
