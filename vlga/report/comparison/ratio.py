"""Which share of a strategy's budget another one needs for the same fitness.

The fitness is that of the network that would win if the search ended there, on the validation
images, in the mean over the seeds. It favours a strategy that tries many networks, of which the
best looks better than it is: what counts in the end is the test accuracy.

The interval is a percentile bootstrap over the seeds that both strategies have in common (Efron,
Tibshirani: "An Introduction to the Bootstrap", 1993, chapter 13). With few seeds it is too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vlga.report.best_so_far import Steps, value_at

__all__ = ["BudgetRatio", "budget_ratio"]

_N_RESAMPLES, _SEED = 2000, 0
#: With fewer seeds an interval means nothing.
_MIN_SEEDS = 3


@dataclass(frozen=True, slots=True)
class BudgetRatio:
    """The share of its epochs that `first` needs for what `other` has at its end.

    Attributes:
        first: a strategy.
        other: another one.
        share: at least 0, of the mean epochs of the other's searches; None if the first one's
            searches end before they get there.
        low: lower end of its 95 % interval; None if there is none, or it is beyond their end.
        high: upper end; None if there is none, or it is beyond their end.
        n_seeds: that both have finished, at least 1.
    """

    first: str
    other: str
    share: float | None
    low: float | None
    high: float | None
    n_seeds: int

    @property
    def has_interval(self) -> bool:
        """Whether there are seeds enough for one."""
        return self.n_seeds >= _MIN_SEEDS

    def __str__(self) -> str:
        interval = ""
        if self.has_interval:
            ends = ["never" if end is None else f"{end:.2f}" for end in (self.low, self.high)]
            interval = f" (95 % interval {ends[0]} to {ends[1]}, {self.n_seeds} seeds)"
        if self.share is None:
            return f"the fitness of {self.other} is not reached by {self.first}{interval}"
        return (
            f"for the fitness of {self.other}, {self.first} needs {self.share:.2f} of its epochs"
            f"{interval}"
        )


def budget_ratio(
    first: str, other: str, curves: Mapping[str, Mapping[int, Steps]]
) -> BudgetRatio | None:
    """Compare two strategies by their curves.

    Args:
        first: a strategy.
        other: another one.
        curves: by strategy and seed, as `best_of_those_that_may_win` gives them.

    Returns:
        None if they have no seed in common, of which both searches have an accuracy.
    """
    mine, theirs = curves.get(first, {}), curves.get(other, {})
    seeds = [seed for seed in mine if mine[seed] and theirs.get(seed)]
    if not seeds:
        return None
    start = max(mine[seed][0][0] for seed in seeds)
    grid = np.array(
        sorted({start, *(at for seed in seeds for at, _ in mine[seed] if at >= start)}), float
    )
    accuracies = np.array([[value_at(mine[seed], at) for at in grid] for seed in seeds])
    ends = np.array([theirs[seed][-1] for seed in seeds], float)  # epochs, accuracy
    weights = np.full((1, len(seeds)), 1 / len(seeds))
    (share,) = _shares(weights, grid, accuracies, ends)
    low, high = math.inf, math.inf
    if len(seeds) >= _MIN_SEEDS:
        draws = np.random.default_rng(_SEED).multinomial(len(seeds), weights[0], _N_RESAMPLES)
        shares = _shares(draws / len(seeds), grid, accuracies, ends)
        low, high = np.quantile(shares, [0.025, 0.975], method="inverted_cdf")
    return BudgetRatio(
        first, other, _finite(share), _finite(low), _finite(high), n_seeds=len(seeds)
    )


def _shares(weights: Any, grid: Any, accuracies: Any, ends: Any) -> Any:
    """Give the share for each weighting of the seeds, infinite where the level is not reached.

    Args:
        weights: (weightings, seeds), each row adding up to 1.
        grid: (points,) epochs, rising.
        accuracies: (seeds, points) of the first strategy.
        ends: (seeds, 2) epochs and accuracy of the other one at its end.
    """
    levels = weights @ ends
    reached = weights @ accuracies >= levels[:, 1:] - 1e-12
    at = grid[reached.argmax(axis=1)]
    return np.where(reached.any(axis=1), at, math.inf) / levels[:, 0]


def _finite(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None
