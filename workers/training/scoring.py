"""How good a network is on some images, and what it takes them for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own name for it
from torch import Tensor, nn

from vlga.config.fitness import FitnessName
from workers.fitness import fitness_of
from workers.machine import has_bfloat16
from workers.training.augmentation import scaled, scaling
from workers.training.footprint import SCORED_AT_ONCE

__all__ = ["Answers", "Scores", "Split", "precision_of", "score", "scores_and_answers"]


@dataclass(frozen=True, slots=True)
class Split:
    """Images with their labels, on one device.

    Attributes:
        images: (n, channels, height, width) uint8.
        labels: (n,) int64 in [0, n_classes).
    """

    images: Tensor
    labels: Tensor


class Scores(NamedTuple):
    """How good a network is on some images.

    Attributes:
        loss: mean cross-entropy.
        accuracy: in [0, 1].
        fitness: in [0, 1], of the kind that was asked for; NaN if that is of a loss that is.
    """

    loss: float
    accuracy: float
    fitness: float


class Answers(NamedTuple):
    """What a network takes some images for; both on their device.

    Attributes:
        classes: (n,) int64.
        probabilities: (n,) float32 in [0, 1], that it gives these classes.
    """

    classes: Tensor
    probabilities: Tensor


def score(
    network: nn.Module,
    split: Split,
    statistics: tuple[Tensor, Tensor],
    batch_size: int = SCORED_AT_ONCE,
    fitness: FitnessName = "accuracy",
) -> Scores:
    """Say how good a network is on a split."""
    return Scores(*scores_and_answers(network, split, statistics, batch_size, fitness)[0].tolist())


@torch.no_grad()
def scores_and_answers(
    network: nn.Module,
    split: Split,
    statistics: tuple[Tensor, Tensor],
    batch_size: int,
    fitness: FitnessName,
) -> tuple[Tensor, Answers]:
    """Give the fields of `Scores` on the split's device, (3,) float64, and all answers."""
    network.eval()
    factor, offset = scaling(*statistics)
    precision = precision_of(split.images.device)
    total_loss = torch.zeros((), device=split.images.device)
    classes, probabilities = [], []
    for start in range(0, len(split.labels), batch_size):
        images = split.images[start : start + batch_size]
        labels = split.labels[start : start + batch_size]
        with precision:
            logits = network(scaled(images, factor, offset)).float()
        total_loss += F.cross_entropy(logits, labels, reduction="sum")
        highest, found = logits.max(1)
        classes.append(found)
        probabilities.append((highest - logits.logsumexp(1)).exp())
    answers = Answers(torch.cat(classes), torch.cat(probabilities))
    loss = total_loss.double() / len(split.labels)
    known = answers.classes, split.labels, logits.shape[1], loss
    accuracy = fitness_of("accuracy", *known)
    value = accuracy if fitness == "accuracy" else fitness_of(fitness, *known)
    return torch.stack([loss, accuracy, value]), answers


def precision_of(device: torch.device) -> torch.autocast:
    """Give bfloat16 on a GPU that has it, else no change of precision."""
    is_gpu = device.type == "cuda"
    enabled = is_gpu and has_bfloat16(torch.cuda.get_device_capability(device))
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)
