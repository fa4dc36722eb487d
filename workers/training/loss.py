"""The loss of a training step: cross-entropy, with labels smoothed and classes weighted."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own name for it
from torch import Tensor

__all__ = ["balanced_weights", "batch_weights", "step_loss"]


def balanced_weights(labels: Tensor) -> Tensor:
    """Give each class the weight n / (n_classes * count), as scikit-learn's ``balanced``.

    All images of a class then count as much together as those of any other. Reads the labels once,
    for which a GPU is waited.

    Args:
        labels: (n,) int64 in [0, n_classes), each class at least once.

    Returns:
        (n_classes,) float32.
    """
    counts = torch.bincount(labels)
    return len(labels) / (len(counts) * counts)


def batch_weights(weights: Tensor, labels: Tensor) -> Tensor:
    """Scale the classes' weights so that their mean over a batch is 1.

    A batch's loss is then a weighted mean: an image of a class that is a thousandth of the data may
    make a step its own, but not many times as long.
    """
    return weights / weights.index_select(0, labels).mean()


def step_loss(
    logits: Tensor, labels: Tensor, weights: Tensor | None, label_smoothing: float
) -> Tensor:
    """Give the mean loss over some images of a batch, each counted as often as its class weighs.

    Args:
        logits: (n, n_classes).
        labels: (n,) int64.
        weights: (n_classes,) as `batch_weights` gives them for the whole batch; None: all alike.
        label_smoothing: in [0, 1).
    """
    if weights is None:
        return F.cross_entropy(logits, labels, label_smoothing=label_smoothing)
    losses = F.cross_entropy(logits, labels, label_smoothing=label_smoothing, reduction="none")
    return (losses * weights.index_select(0, labels)).mean()
