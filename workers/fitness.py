"""A network's fitness from its answers, computed on their device without waiting for it."""

from __future__ import annotations

import torch
from torch import Tensor

from vlga.config.fitness import FitnessName

__all__ = ["fitness_of"]


def fitness_of(
    kind: FitnessName, predicted: Tensor, labels: Tensor, n_classes: int, loss: Tensor
) -> Tensor:
    """Give the fitness, the higher the better: () float64 in [0, 1], or NaN if the loss is.

    It is what scikit-learn's function of the name gives, with ``average="macro"`` for F1; of the
    log loss it is exp(-log loss), the geometric mean of the probabilities of the right classes,
    which rises as the loss falls and is 1 at a loss of 0. Classes that are neither among the
    labels nor (for F1) among the predictions do not count.

    Args:
        kind: of fitness.
        predicted: (n,) int64 in [0, n_classes), n at least 1.
        labels: (n,) int64 likewise.
        n_classes: number of classes.
        loss: () float64, mean cross-entropy, at least 0.
    """
    if kind == "log_loss":
        return torch.exp(-loss)
    hits = (predicted == labels).double()
    if kind == "accuracy":
        # By a tensor: by a number a GPU multiplies its reciprocal, and 49 of 49 would be below 1.
        return hits.sum() / hits.new_full((), len(labels))
    n_right = _sums(hits, labels, n_classes)
    n_labelled = _sums(torch.ones_like(hits), labels, n_classes)
    if kind == "balanced_accuracy":
        return _mean_ratio(n_right, n_labelled)
    n_predicted = _sums(torch.ones_like(hits), predicted, n_classes)
    return _mean_ratio(2 * n_right, n_labelled + n_predicted)


def _sums(values: Tensor, classes: Tensor, n_classes: int) -> Tensor:
    """Add values up by class: (n,) to (n_classes,)."""
    return values.new_zeros(n_classes).scatter_add_(0, classes, values)


def _mean_ratio(parts: Tensor, wholes: Tensor) -> Tensor:
    """Give the mean of the ratios whose whole is not 0."""
    counts = wholes > 0
    return torch.where(counts, parts / wholes, 0).sum() / counts.sum()
