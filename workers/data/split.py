"""Stratified splits: pure functions of images, labels and a seed.

The seeds are not those of searches, so that all searches on the same images share their splits.
Every image gets a random number, and a split takes the images of each class with the smallest ones.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from workers.data.dataset import Images, Labels

__all__ = [
    "Counts",
    "Mask",
    "class_counts",
    "first_equal",
    "is_first",
    "stratified_split",
    "stratified_subset",
]

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def class_counts(labels: Labels, n_classes: int) -> Counts:
    """Count the images of each class.

    Args:
        labels: (n,) in [0, n_classes).
        n_classes: at least 1.
    """
    return np.bincount(labels, minlength=n_classes).astype(np.int64)


def first_equal(*parts: Images) -> Labels:
    """Find copies: give for each image of the parts, counted through, the first that equals it.

    Args:
        parts: (n, channels, height, width) uint8 each, of one shape.

    Returns:
        (sum of n,) indices; an image that is no copy of an earlier one has its own.
    """
    seen: dict[bytes, int] = {}
    digests = (hashlib.blake2b(image, digest_size=16).digest() for part in parts for image in part)
    firsts = [seen.setdefault(digest, index) for index, digest in enumerate(digests)]
    return np.array(firsts, np.int64)


def is_first(ids: Labels) -> Mask:
    """Tell of each image whether no earlier one equals it; equal images have equal ids."""
    first: Mask = np.zeros(len(ids), np.bool_)
    first[np.unique(ids, return_index=True)[1]] = True
    return first


def stratified_split(
    labels: Labels, fraction: float, seed: int, *, leave: int = 1, ids: Labels | None = None
) -> Mask:
    """Choose a share of every class, rounded, but at least one image and never all of them.

    Copies of an image count as one, which has the label of the first: all are chosen, or none.

    Args:
        labels: (n,); each class that occurs has at least `leave` + 1 different images.
        fraction: share to choose, in (0, 1).
        seed: of the choice.
        leave: how many images of each class are left at least; 1 or more.
        ids: (n,) equal for equal images; None if there are no copies.

    Returns:
        (n,) true for the chosen images.
    """
    ids = np.arange(len(labels)) if ids is None else ids
    counts = class_counts(labels[is_first(ids)], 1)
    n_of_class = np.clip(np.rint(counts * fraction), 1, counts - leave)
    chosen = _choose(labels, n_of_class, seed, is_first(ids))
    return np.isin(ids, ids[chosen])


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


def _choose(
    labels: Labels, n_of_class: npt.NDArray[np.number], seed: int, may_be: Mask | None = None
) -> Mask:
    """Choose so many images of each class: those with the smallest random numbers."""
    drawn = np.random.default_rng(seed).random(len(labels))
    if may_be is not None:
        drawn[~may_be] = np.inf
    order = np.lexsort((drawn, labels))
    counts = class_counts(labels, 1)
    first_of_class = np.cumsum(counts) - counts
    rank_in_class = np.empty(len(labels), np.int64)
    rank_in_class[order] = np.arange(len(labels)) - np.repeat(first_of_class, counts)
    chosen: Mask = rank_in_class < n_of_class[labels]
    return chosen
