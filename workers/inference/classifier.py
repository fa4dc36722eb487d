"""A trained network at work: images in, probabilities out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from workers.data.dataset import Images
from workers.networks.committee import Committee
from workers.networks.weights import Normalization
from workers.training.augmentation import to_float

__all__ = ["Classifier"]


class Classifier:
    """A trained network, or several whose probabilities are averaged, on a GPU if there is one.

    Args:
        members: as `trained_network` gives them, at least one, all for the same images.
    """

    def __init__(self, members: Sequence[tuple[nn.Module, Normalization]]) -> None:
        normalization = members[0][1]
        #: As `Normalization` has them.
        self.levels, self.padded = normalization.levels, normalization.padded
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network = Committee([network for network, _ in members])
        self._network.to(self._device).to(memory_format=torch.channels_last)
        mean, std = normalization.mean, normalization.std
        self._statistics = mean.to(self._device), std.to(self._device)

    @torch.inference_mode()
    def logits(self, images: Images) -> torch.Tensor:
        """Give (n, n_classes) float32.

        Args:
            images: (n, channels, height, width) uint8, as the network was trained on.
        """
        batch = to_float(torch.from_numpy(images).to(self._device), *self._statistics)
        logits: torch.Tensor = self._network(batch.to(memory_format=torch.channels_last))
        return logits.float()

    def probabilities(self, images: Images) -> list[list[float]]:
        """Give each image's probability of each class; those of an image add up to 1.

        Args:
            images: as `logits` takes them.
        """
        probabilities: list[list[float]] = self.logits(images).softmax(1).tolist()
        return probabilities
