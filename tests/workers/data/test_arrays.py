"""Images in arrays as programs have them."""

from __future__ import annotations

import numpy as np
import pytest

from workers.data.arrays import channels_first, in_eight_bits, levels_of


@pytest.mark.parametrize(
    ("shape", "first"),
    [
        ((9, 5, 6), (9, 1, 5, 6)),
        ((9, 5, 6, 3), (9, 3, 5, 6)),
        ((9, 3, 5, 6), (9, 3, 5, 6)),
        ((9, 3, 5, 1), (9, 1, 3, 5)),
        ((9, 2, 5, 6), None),
        ((9, 5), None),
        ((9, 1, 1, 1, 1), None),
    ],
)
def test_the_axis_of_one_three_or_four_has_the_channels(shape, first):
    """The last one if both could."""
    found = channels_first(np.empty(shape))

    assert (None if found is None else found.shape) == first


@pytest.mark.parametrize(
    ("array", "levels", "pixels"),
    [
        (np.array([3, 200], np.uint8), (0, 255), [3, 200]),
        (np.array([0.0, 0.5, 1.0]), (0, 1), [0, 128, 255]),
        (np.array([-1, 0, 1]), (-1, 1), [0, 128, 255]),
        (np.array([False, True]), (0, 1), [0, 255]),
        (np.array([0, 65_535], np.uint16), (0, 65_535), [0, 255]),
        (np.array([7.0, 7.0]), (7, 8), [0, 0]),
    ],
)
def test_the_range_of_numbers_becomes_black_to_white(array, levels, pixels):
    """But bytes stay as they are."""
    assert levels_of(array) == levels
    assert in_eight_bits(array, levels).tolist() == pixels


def test_what_is_beyond_the_levels_is_cut():
    found = in_eight_bits(np.array([[-5.0, 2.0], [1e300, 0.0]]).T, (0.0, 2.0))

    assert found.tolist() == [[0, 255], [255, 0]]
    assert found.flags.c_contiguous
