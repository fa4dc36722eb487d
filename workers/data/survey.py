"""What a data set is, and what a search would do with it: a look before the search."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vlga.config.data import DataConfig
from vlga.errors import DataError
from vlga.ports.data import FitnessOn
from workers.data.copies import find_copies
from workers.data.counts import say_if_few
from workers.data.dataset import Dataset, RawDataset
from workers.data.folder import LEAVE_OUT_BROKEN
from workers.data.load import split_dataset
from workers.data.seen import Seen
from workers.data.split import class_counts

__all__ = ["ClassCounts", "Survey", "survey"]


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """How many images a class has, and where a search would have them.

    Attributes:
        name: of the class.
        images: readable ones, in all.
        train: to train on; None if no search would begin.
        validation: likewise to validate on.
        test: likewise to test on.
    """

    name: str
    images: int
    train: int | None = None
    validation: int | None = None
    test: int | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """What a data set is, and what a search would do with it.

    Attributes:
        name: of the data set.
        classes: with how many images each.
        shape: (channels, height, width) of an image as networks see it.
        fitness_on: which images give the fitness; if ``test``, those are the test images.
        is_cut: whether networks see only the centre of some images.
        is_padded: whether they see some with black around.
        may_mirror: whether training mirrors images, unless a setting says otherwise; None if no
            search would begin.
        n_copies: training images that are copies of others; they stay in one split.
        n_shared: images to validate or test on that are training images too.
        n_of_others: images that are copies of images of another class.
        seen: what the files are, if each image is one.
        problem: why no search would begin, or empty.
    """

    name: str
    classes: tuple[ClassCounts, ...]
    shape: tuple[int, int, int]
    fitness_on: FitnessOn
    is_cut: bool
    is_padded: bool
    may_mirror: bool | None
    n_copies: int
    n_shared: int
    n_of_others: int
    seen: Seen | None
    problem: str


def survey(raw: RawDataset, config: DataConfig) -> Survey:
    """Say what a data set is; what the split finds is logged as it is in a search.

    Args:
        raw: read by `read_dataset`, from a folder without its broken files.
        config: how a search would read and split it.
    """
    dataset, problem = _split(raw, config)
    copies, seen = find_copies(raw), raw.seen
    channels, height, width = raw.train.images.shape[1:]
    differ = seen is not None and seen.differ_in_shape(height, width)
    return Survey(
        name=raw.name,
        classes=_counts(raw, dataset),
        shape=(channels, height, width),
        fitness_on=config.fitness_on,
        is_cut=differ and not raw.is_padded,
        is_padded=differ and raw.is_padded,
        may_mirror=dataset.may_mirror if dataset else None,
        n_copies=copies.n_copies,
        n_shared=copies.n_shared,
        n_of_others=copies.n_of_others,
        seen=seen,
        problem=problem,
    )


def _split(raw: RawDataset, config: DataConfig) -> tuple[Dataset | None, str]:
    """Split as a search would, or say why it would not; broken files come first."""
    refused = ""
    if raw.seen and raw.seen.broken and not config.skip_broken:
        refused = (
            f"the {len(raw.seen.broken):,} broken of the files of {raw.name!r} must be readable "
            f"images; repair or delete them, {LEAVE_OUT_BROKEN}"
        )
    try:
        dataset = split_dataset(raw, config)
    except DataError as error:
        return None, refused or str(error)
    say_if_few(dataset)
    return dataset, refused


def _counts(raw: RawDataset, dataset: Dataset | None) -> tuple[ClassCounts, ...]:
    splits = [np.concatenate([part.labels for part in raw.parts])]
    if dataset is not None:
        splits += [dataset.train_labels, dataset.validation_labels, dataset.test_labels]
    counts = (class_counts(labels, len(raw.classes)).tolist() for labels in splits)
    return tuple(map(ClassCounts, raw.classes, *counts))
