"""A trained network at work: images in, probabilities out."""

from __future__ import annotations

import torch
from torch import nn

from vlga.networks.named import ModelPlan
from vlga.networks.phenotype import Plan
from workers.data.dataset import Images
from workers.networks.build import build_network
from workers.networks.weights import unpack_statistics, unpack_weights
from workers.training.augmentation import to_float

__all__ = ["Classifier"]


class Classifier:
    """A winner with its weights, on a GPU if there is one.

    Args:
        plan: of the network.
        weights: what `pack_weights` gave for it, with statistics.

    Raises:
        ValueError: the statistics are missing.
    """

    def __init__(self, plan: Plan, weights: bytes) -> None:
        statistics = unpack_statistics(weights)
        if statistics is None:
            raise ValueError("they do not say by what images are normalized")
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network = _build(plan).eval()
        self._network.load_state_dict(unpack_weights(weights))
        self._network.to(self._device).to(memory_format=torch.channels_last)
        mean, std = statistics
        self._statistics = mean.to(self._device), std.to(self._device)

    @torch.inference_mode()
    def probabilities(self, images: Images) -> list[list[float]]:
        """Give each image's probability of each class; those of an image add up to 1.

        Args:
            images: (n, channels, height, width) uint8, as the network was trained on.
        """
        batch = to_float(torch.from_numpy(images).to(self._device), *self._statistics)
        logits = self._network(batch.to(memory_format=torch.channels_last))
        probabilities: list[list[float]] = logits.float().softmax(1).tolist()
        return probabilities


def _build(plan: Plan) -> nn.Module:
    if isinstance(plan, ModelPlan):
        # torchvision's modules take a while to import, and searches do without
        from workers.networks.named import build_model

        return build_model(plan, 0)
    return build_network(plan, torch.Generator().manual_seed(0))
