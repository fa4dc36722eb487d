"""Several trained networks that answer together."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vlga.networks.phenotype import Plan
from workers.networks.build import build
from workers.networks.mirrored import Mirrored
from workers.networks.weights import Normalization, unpack_trained

__all__ = ["Committee", "trained_network"]


class Committee(nn.Module):
    """Networks whose probabilities are averaged; one alone answers as it is.

    Args:
        members: at least one, of the same images and classes.
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, images: Tensor) -> Tensor:
        """Map images to logits (n, n_classes), whose softmax is the mean of the members' own."""
        logits: list[Tensor] = [member(images).float() for member in self.members]
        if len(logits) == 1:
            return logits[0]
        logarithms = torch.stack([one.log_softmax(1) for one in logits])
        return logarithms.logsumexp(0) - math.log(len(logits))


def trained_network(plan: Plan, weights: bytes) -> tuple[nn.Module, Normalization]:
    """Build a network with trained weights, ready to answer; give how its images are normalized.

    It is a `Mirrored` one if it is to look at mirror images too.

    Args:
        plan: of the network.
        weights: what `pack_weights` gave for it, with the normalization of its images.

    Raises:
        UnreadableWeightsError: they are no weights, or lack the normalization.
        RuntimeError: they are another network's.
    """
    state, normalization = unpack_trained(weights)
    network = build(plan, 0)
    network.load_state_dict(state)
    answering = Mirrored(network) if normalization.mirrored else network
    return answering.eval(), normalization
