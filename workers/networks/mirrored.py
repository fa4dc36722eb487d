"""A network that looks at each image and at its mirror image."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["Mirrored"]


class Mirrored(nn.Module):
    """Answers with the mean of a network's logits for an image and for its mirror image.

    For networks that are trained on both alike: what they say differs by chance alone, and the mean
    is right more often. It costs a second pass.

    Args:
        network: of images (n, channels, height, width).
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Map images, normalized, to logits (n, n_classes)."""
        logits: Tensor = self.network(images) + self.network(images.flip(3))
        return logits / 2
