from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.generators import PRESETS, input_shapes, spaces
from vlga.networks.anchors import anchors
from vlga.networks.phenotype import decode

DEFAULT = PRESETS["default"]


@given(spaces(), input_shapes(), st.none() | st.integers(1, 10**9))
def test_they_are_of_the_space_and_within_the_limit(space, shape, max_macs):
    """Of any space, for images of any shape; each is another network."""
    found = anchors(space, shape, 10, max_macs)

    assert len(set(found)) == len(found) <= 4
    for one in found:
        space.check(one)
        assert max_macs is None or decode(one, shape, 10).n_macs <= max_macs


@pytest.mark.parametrize(
    ("shape", "pools"),
    [
        ((1, 8, 8), [False, True, True]),
        ((1, 28, 28), [True, True, True]),
        ((3, 32, 32), [True, True, True]),
        ((3, 64, 64), [True, True, True]),  # the stem halves them
        ((3, 224, 224), [True, True, True, True]),
    ],
)
def test_pool_until_few_pixels_are_left(shape, pools):
    """Blocks of two convolutions, the first a quarter as wide as the others."""
    first, *_ = anchors(DEFAULT, shape, 10, 2**26)
    height = decode(first, shape, 10).blocks[-1].output_shape[1]

    assert [block.include_pool for block in first.blocks] == pools
    assert {4 * first.blocks[0].channels_a} == {block.channels_b for block in first.blocks[1:]}
    assert all(block.include_b for block in first.blocks)
    assert height <= 4


def test_the_more_is_allowed_the_wider_they_are():
    """The best guess is the widest within it."""
    widths = [
        anchors(DEFAULT, (3, 32, 32), 10, limit)[0].blocks[0].channels_a
        for limit in (2**23, 2**25, 2**27, None)
    ]

    assert widths == [8, 32, 64, 128]


@pytest.mark.parametrize(("n_images", "decay"), [(None, 2e-3), (6001, 2e-3), (6000, 4e-3)])
def test_few_images_take_more_weight_decay(n_images, decay):
    """In every network; nothing else differs."""
    many = anchors(DEFAULT, (3, 32, 32), 10, 2**25)
    found = anchors(DEFAULT, (3, 32, 32), 10, 2**25, n_images=n_images)

    assert {one.network.weight_decay for one in found} == {decay}
    assert [one.with_genes({"weight_decay": 2e-3}) for one in found] == [*many]
