"""A trained network at work: images in, probabilities out."""

from __future__ import annotations

import torch

from vlga.networks.phenotype import Plan
from workers.data.dataset import Images
from workers.networks.build import build
from workers.networks.weights import unpack_trained
from workers.training.augmentation import to_float

__all__ = ["Classifier"]


class Classifier:
    """A network with its trained weights, on a GPU if there is one.

    Args:
        plan: of the network.
        weights: what `pack_weights` gave for it, with the normalization of its images.

    Raises:
        UnreadableWeightsError: they are no weights, or lack the normalization.
        RuntimeError: they are another network's.
    """

    def __init__(self, plan: Plan, weights: bytes) -> None:
        state, normalization = unpack_trained(weights)
        #: As `Normalization` has them.
        self.levels = normalization.levels
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network = build(plan, 0).eval()
        self._network.load_state_dict(state)
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
