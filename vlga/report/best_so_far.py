"""The best fitness known after so many epochs of training, of one search and of many."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Band", "Steps", "band", "best_of_those_that_may_win", "best_so_far", "value_at"]

#: A step function: (epochs trained, accuracy) where the accuracy changes, and at the end.
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


def best_of_those_that_may_win(
    trainings: Sequence[tuple[int, float | None, int]],
) -> list[tuple[int, float]]:
    """Give the best accuracy that counts, against the epochs trained.

    It is that of the fittest of those trained for longest, of whom the winner would be one if the
    search ended there: where the first network reaches a rung, those below no longer count, and the
    accuracy may fall.

    Args:
        trainings: epochs, fitness (None if it failed) and rung, in the order in which they ended.
    """
    steps: list[tuple[int, float]] = []
    n_epochs, top = 0, -1
    for epochs, fitness, rung in trainings:
        n_epochs += epochs
        if fitness is not None and (rung > top or (rung == top and fitness > steps[-1][1])):
            steps.append((n_epochs, fitness))
            top = rung
    if steps and steps[-1][0] < n_epochs:
        steps.append((n_epochs, steps[-1][1]))
    return steps


@dataclass(frozen=True, slots=True)
class Band:
    """The best so far of several searches together; constant from one number of epochs to the next.

    Attributes:
        epochs: numbers of epochs trained, rising: from where every search has an accuracy to where
            the longest search ends.
        mean: over the searches, at each of the `epochs`.
        low: of the worst search there.
        high: of the best search there.
    """

    epochs: tuple[int, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def band(searches: Sequence[Steps]) -> Band | None:
    """Put the best so far of several searches together; a search that has ended keeps its best.

    Returns:
        None if no search has an accuracy.
    """
    searches = [steps for steps in searches if steps]
    if not searches:
        return None
    start = max(steps[0][0] for steps in searches)
    grid = sorted({start, *(epochs for steps in searches for epochs, _ in steps)})
    grid = [epochs for epochs in grid if epochs >= start]
    columns = [[value_at(steps, epochs) for steps in searches] for epochs in grid]
    return Band(
        tuple(grid),
        tuple(statistics.fmean(values) for values in columns),
        tuple(min(values) for values in columns),
        tuple(max(values) for values in columns),
    )


def value_at(steps: Steps, epochs: int) -> float:
    """Give a step function's value at `epochs`, which its first step must not come after."""
    for (_, accuracy), (following, _) in pairwise(steps):
        if following > epochs:
            return accuracy
    return steps[-1][1]
