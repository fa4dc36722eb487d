"""The best fitness known after so many epochs of training, of one search and of many."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Band", "band", "best_so_far"]

#: A step function: (epochs trained, best accuracy so far) where the latter rises, and at the end.
Steps = Sequence[tuple[int, float]]


def best_so_far(trainings: Sequence[tuple[int, float | None]]) -> list[tuple[int, float]]:
    """Give a search's best accuracy against the epochs trained: where it rises, and at the end.

    Args:
        trainings: epochs and fitness (None if it failed), in the order in which they ended.
    """
    steps: list[tuple[int, float]] = []
    n_epochs = 0
    for epochs, fitness in trainings:
        n_epochs += epochs
        if fitness is not None and (not steps or fitness > steps[-1][1]):
            steps.append((n_epochs, fitness))
    if steps and steps[-1][0] < n_epochs:
        steps.append((n_epochs, steps[-1][1]))
    return steps


@dataclass(frozen=True, slots=True)
class Band:
    """Several searches' best-so-far as one: from each number of epochs to the next it is constant.

    Attributes:
        epochs: trained, rising, from where every search has a first accuracy to the longest's end.
        mean: over the searches, at each of the `epochs`.
        low: of the search that is worst there.
        high: of the search that is best there.
    """

    epochs: tuple[int, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def band(searches: Sequence[Steps]) -> Band | None:
    """Put searches' best-so-far together; one that has ended keeps its best.

    Returns:
        None without a search that has an accuracy.
    """
    searches = [steps for steps in searches if steps]
    if not searches:
        return None
    start = max(steps[0][0] for steps in searches)
    grid = sorted({start, *(epochs for steps in searches for epochs, _ in steps)})
    grid = [epochs for epochs in grid if epochs >= start]
    columns = [[_at(steps, epochs) for steps in searches] for epochs in grid]
    return Band(
        tuple(grid),
        tuple(statistics.fmean(values) for values in columns),
        tuple(min(values) for values in columns),
        tuple(max(values) for values in columns),
    )


def _at(steps: Steps, epochs: int) -> float:
    """Give a step function's value; its first step is at or before these epochs."""
    for (_, accuracy), (following, _) in pairwise(steps):
        if following > epochs:
            return accuracy
    return steps[-1][1]
