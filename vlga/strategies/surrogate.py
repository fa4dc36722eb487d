"""A Gaussian process that foresees, from what has been told, how good a network will be.

Of a few hundred networks no better model is known for so little time. It sees a network as two
lists of numbers, those of its training and those of its shape, and takes networks to be alike by
the mean difference in each list. Targets are ranks made normal (Salinas, Shen, Perrone: "A
Quantile-Based Approach for Hyperparameter Transfer Learning", 2020, https://arxiv.org/abs/1909.13595),
so that neither the scale of a score nor a failure far below the rest matters.

Length scales and noise are chosen from a small grid by likelihood. Where nothing can be foreseen
the likeliest is much noise: all networks are then expected to be alike, and a draw is a dice's.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from vlga.networks.features import Features

__all__ = ["Surrogate", "normal_ranks"]

_LENGTHS = (0.25, 0.5, 1.0, 2.0)
_NOISES = (0.1, 0.3, 1.0)
#: The grid is tried on so many rows at most, evenly spaced: its time grows with their cube.
_GRID_ROWS = 100

_Array = NDArray[np.float64]


def normal_ranks(values: Sequence[float]) -> _Array:
    """Give each value's rank as a normal score, the mean over equal values; the sum is about 0."""
    order = np.array(values)
    below = (order[None, :] < order[:, None]).sum(1)
    equal = (order[None, :] == order[:, None]).sum(1)
    shares = (below + equal / 2) / len(order)
    return np.array([NormalDist().inv_cdf(share) for share in shares])


class Surrogate:
    """Fitted when it is made; the same rows in the same order give the same predictions.

    Args:
        features: of each known network, at least two.
        values: of each, the higher, the better.
        noises: of each, above 0: how uncertain its value is, relative to the others.
    """

    def __init__(
        self, features: Sequence[Features], values: Sequence[float], noises: Sequence[float]
    ) -> None:
        known = [np.array([one[group] for one in features], dtype=float) for group in range(2)]
        self._scales = [_Scale(group) for group in known]
        self._known = [scale(group) for scale, group in zip(self._scales, known, strict=True)]
        targets, spread = normal_ranks(values), np.array(noises)
        distances = [_distances(group, group) for group in self._known]
        some = np.linspace(0, len(targets) - 1, min(len(targets), _GRID_ROWS)).round().astype(int)
        self._lengths, noise = _likeliest(
            [one[np.ix_(some, some)] for one in distances], targets[some], spread[some]
        )
        covariance = _kernel(distances, self._lengths) + np.diag(noise * spread)
        self._inverse = np.linalg.inv(covariance)
        self._weights = self._inverse @ targets

    def predict(self, features: Sequence[Features]) -> tuple[_Array, _Array]:
        """Give mean and standard deviation of what is expected of networks, as normal scores."""
        groups = [
            scale(np.array([one[group] for one in features], dtype=float))
            for group, scale in enumerate(self._scales)
        ]
        distances = [_distances(*pair) for pair in zip(groups, self._known, strict=True)]
        alike = _kernel(distances, self._lengths)
        variance = 1 - np.einsum("ij,jk,ik->i", alike, self._inverse, alike, optimize=True)
        return alike @ self._weights, np.sqrt(np.maximum(variance, 0))


class _Scale:
    """Brings the columns of a group to mean 0 and deviation 1, and drops constant ones."""

    def __init__(self, group: _Array) -> None:
        deviation = group.std(0)
        self._used = deviation > 1e-9
        self._mean, self._deviation = group.mean(0)[self._used], deviation[self._used]

    def __call__(self, group: _Array) -> _Array:
        scaled: _Array = (group[:, self._used] - self._mean) / self._deviation
        return scaled


def _distances(some: _Array, others: _Array) -> _Array:
    """Give the mean absolute difference of every pair; 0 where there are no columns."""
    if some.shape[1] == 0:
        return np.zeros((len(some), len(others)))
    distances: _Array = np.abs(some[:, None, :] - others[None, :, :]).mean(2)
    return distances


def _kernel(distances: Sequence[_Array], lengths: Sequence[float]) -> _Array:
    """Give how alike every pair is, in (0, 1]."""
    alike: _Array = np.exp(
        -sum(one / length for one, length in zip(distances, lengths, strict=True))
    )
    return alike


def _likeliest(
    distances: Sequence[_Array], targets: _Array, spread: _Array
) -> tuple[tuple[float, float], float]:
    """Give the two lengths and the noise of highest likelihood, of equals the first."""
    kernels = {pair: _kernel(distances, pair) for pair in product(_LENGTHS, _LENGTHS)}
    grid = [(pair, noise) for pair in kernels for noise in _NOISES]
    n = len(targets)
    # With the targets as a last row, the factor has what is left of them, whitened, as its last
    # row: no equation needs to be solved. The corner only has to be large enough.
    bordered = np.empty((len(grid), n + 1, n + 1))
    for matrix, (pair, noise) in zip(bordered, grid, strict=True):
        matrix[:n, :n] = kernels[pair]
        matrix[range(n), range(n)] += noise * spread
    bordered[:, n, :n] = bordered[:, :n, n] = targets
    bordered[:, n, n] = 1e9
    factors = np.linalg.cholesky(bordered)
    misfit = (factors[:, n, :n] ** 2).sum(1)
    volume = 2 * np.log(np.diagonal(factors[:, :n, :n], axis1=1, axis2=2)).sum(1)
    return grid[int(np.argmin(np.round(misfit + volume, 6)))]
