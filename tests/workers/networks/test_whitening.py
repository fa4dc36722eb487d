import pytest
import torch

from vlga.networks.layers import StemPlan
from workers.networks.whitening import whitening_filters


def smooth_images(n, *shape):
    """Images whose neighbouring pixels are alike, as those of photographs are."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(n, *shape, generator=generator)
    return torch.nn.functional.avg_pool2d(noise, 3, 1, 1) * 2 + noise / 4


@pytest.mark.parametrize(("shape", "stride"), [((1, 9, 8), 1), ((3, 12, 12), 1), ((1, 20, 20), 4)])
def test_makes_patches_white(shape, stride):
    """Each direction has a second moment of 1 over all patches, and no two go together."""
    plan, images = StemPlan(shape, stride), smooth_images(400, *shape)
    filters = whitening_filters(plan, images)
    maps = torch.nn.functional.conv2d(images, filters, stride=stride)[:, : plan.channels // 2]
    flat = maps.transpose(0, 1).flatten(1)
    moments = flat @ flat.T / flat.shape[1]

    assert filters.shape == (plan.channels, shape[0], plan.kernel, plan.kernel)
    torch.testing.assert_close(moments, torch.eye(len(moments)), atol=0.02, rtol=0)


def test_each_direction_is_there_with_either_sign():
    """An activation lets one half through each."""
    filters = whitening_filters(StemPlan((3, 8, 8), 1), smooth_images(50, 3, 8, 8))

    assert torch.equal(filters[:12], -filters[12:])
    assert (filters[:12].flatten(1).abs().amax(1) == filters[:12].flatten(1).amax(1)).all()


def test_directions_of_which_there_is_nothing_are_not_blown_up():
    """Of constant images every difference is zero, and stays so."""
    filters = whitening_filters(StemPlan((1, 4, 4), 1), torch.ones(5, 1, 4, 4))

    assert filters.isfinite().all()
    assert filters.abs().max() < 50
