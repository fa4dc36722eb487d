"""Images of a data set that are equal, pixel by pixel, once they have their common size."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from workers.data.dataset import Labels, RawDataset
from workers.data.split import first_equal, is_first

__all__ = ["Copies", "find_copies", "say_copies"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """Which images of a data set are copies of others.

    Attributes:
        ids: (n,) of the training images, equal for equal ones.
        n_copies: training images that are copies of earlier ones.
        n_shared: images to validate or test on that are training images too.
        n_of_others: images that are copies of earlier ones of another class.
        mixed_up: two classes that share an image; None if none do.
    """

    ids: Labels
    n_copies: int
    n_shared: int
    n_of_others: int
    mixed_up: tuple[str, str] | None


def find_copies(raw: RawDataset) -> Copies:
    """Compare all images of a data set."""
    all_ids = first_equal(*(part.images for part in raw.parts))
    labels = np.concatenate([part.labels for part in raw.parts])
    ids, held_out = np.split(all_ids, [len(raw.train)])
    others = np.flatnonzero(labels != labels[all_ids])
    mixed_up = None
    if len(others):
        one = others[0]
        mixed_up = raw.classes[labels[all_ids[one]]], raw.classes[labels[one]]
    return Copies(
        ids,
        n_copies=len(ids) - int(is_first(ids).sum()),
        n_shared=int(np.isin(held_out, ids).sum()),
        n_of_others=len(others),
        mixed_up=mixed_up,
    )


def say_copies(raw: RawDataset, copies: Copies) -> None:
    """Say what copies there are, and what is done about them."""
    n_images, n_train = sum(map(len, raw.parts)), len(raw.train)
    if copies.n_copies:
        logger.warning(
            "%s: %s of %s images are copies of others; copies stay in one split",
            *(raw.name, f"{copies.n_copies:,}", f"{n_train:,}"),
        )
    if copies.n_shared:
        logger.warning(
            "%s: %s of %s images to validate or test on are training images too, so accuracies "
            "are too high",
            *(raw.name, f"{copies.n_shared:,}", f"{n_images - n_train:,}"),
        )
    if copies.mixed_up:
        logger.warning(
            "%s: %s of %s images are copies of images of another class, such as one of %r and %r",
            *(raw.name, f"{copies.n_of_others:,}", f"{n_images:,}", *copies.mixed_up),
        )
