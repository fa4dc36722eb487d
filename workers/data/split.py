"""Stratified splits: pure functions of labels and a seed.

The seeds are not those of searches, so that all searches on the same images share their splits.
Every image gets a random number, and a split takes the images of each class with the smallest ones.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workers.data.dataset import Labels

__all__ = ["class_counts", "stratified_split", "stratified_subset"]

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def class_counts(labels: Labels, n_classes: int) -> Counts:
    """Count the images of each class.

    Args:
        labels: (n,) in [0, n_classes).
        n_classes: at least 1.
    """
    return np.bincount(labels, minlength=n_classes).astype(np.int64)


def stratified_split(labels: Labels, fraction: float, seed: int, *, leave: int = 1) -> Mask:
    """Choose a share of every class, rounded, but at least one image and never all of them.

    Args:
        labels: (n,); each class that occurs has at least `leave` + 1 images.
        fraction: share to choose, in (0, 1).
        seed: of the choice.
        leave: how many images of each class are left at least; 1 or more.

    Returns:
        (n,) true for the chosen images.
    """
    counts = class_counts(labels, 1)
    return _choose(labels, np.clip(np.rint(counts * fraction), 1, counts - leave), seed)


def stratified_subset(labels: Labels, n: int, seed: int) -> Mask:
    """Choose exactly n images, from each class its share to within one image.

    Shares are rounded down; what is left over goes to the classes with the largest remainders.

    Args:
        labels: (m,) with m at least n.
        n: images to choose, at least 0.
        seed: of the choice.

    Returns:
        (n,) true for the chosen images.
    """
    counts = class_counts(labels, 1)
    shares, remainders = np.divmod(n * counts, len(labels))
    left_over = n - shares.sum()
    shares[np.argsort(-remainders, kind="stable")[:left_over]] += 1
    return _choose(labels, shares, seed)


def _choose(labels: Labels, n_of_class: npt.NDArray[np.number], seed: int) -> Mask:
    """Choose so many images of each class: those with the smallest random numbers."""
    drawn = np.random.default_rng(seed).random(len(labels))
    order = np.lexsort((drawn, labels))
    counts = class_counts(labels, 1)
    first_of_class = np.cumsum(counts) - counts
    rank_in_class = np.empty(len(labels), np.int64)
    rank_in_class[order] = np.arange(len(labels)) - np.repeat(first_of_class, counts)
    chosen: Mask = rank_in_class < n_of_class[labels]
    return chosen
