import torch
from torch import nn

from workers.networks.mirrored import Mirrored


class Left(nn.Module):
    """A network that sees the leftmost pixel of each row alone."""

    def forward(self, images):
        return images[..., 0].flatten(1)


def test_an_image_and_its_mirror_image_are_answered_alike():
    """With the mean of what the network says of each."""
    images = torch.rand(4, 1, 3, 5)
    logits = Mirrored(Left())(images)

    assert torch.equal(logits, Mirrored(Left())(images.flip(3)))
    assert torch.allclose(logits, (images[:, 0, :, 0] + images[:, 0, :, -1]) / 2)
