"""From the name of a data set to its split images."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vlga.config.settings import DataConfig
from vlga.errors import DataError, nearest
from workers.data.dataset import Dataset, LabelledImages, Labels, RawDataset
from workers.data.digits import read_digits
from workers.data.folder import read_folder
from workers.data.npz import read_npz
from workers.data.split import (
    Counts,
    Mask,
    class_counts,
    first_equal,
    is_first,
    stratified_split,
    stratified_subset,
)
from workers.data.torchvision_files import PUBLISHED, data_folder, read_published

__all__ = ["KnownDataset", "known_datasets", "load_dataset"]

logger = logging.getLogger(__name__)

#: Seeds of the splits. Not the search's seed: all searches on the same images share their splits.
TEST_SEED, LIMIT_SEED, VALIDATION_SEED = 1, 2, 3


@dataclass(frozen=True, slots=True)
class KnownDataset:
    """A data set that has a name.

    Attributes:
        name: what ``--data`` takes.
        input_shape: (channels, height, width).
        n_classes: number of classes.
        n_train: images to train and validate on, and to test on if it has no test images.
        n_test: test images of its own, or 0.
        built_in: whether it comes with vlga's libraries.
        path: the folder that has its files, or None if it is built in or absent.
    """

    name: str
    input_shape: tuple[int, int, int]
    n_classes: int
    n_train: int
    n_test: int
    built_in: bool
    path: Path | None


def known_datasets(data_dir: str | None = None) -> tuple[KnownDataset, ...]:
    """Give every data set that has a name, and where its files are.

    Args:
        data_dir: folder of torchvision's files; if not given, `VLGA_DATA` or the user's cache.
    """
    folder = data_folder(data_dir)
    digits = KnownDataset("digits", (1, 8, 8), 10, 1_797, 0, built_in=True, path=None)
    return digits, *(
        KnownDataset(
            name,
            one.input_shape,
            one.n_classes,
            one.n_train,
            one.n_test,
            built_in=False,
            path=folder if one.is_in(folder) else None,
        )
        for name, one in PUBLISHED.items()
    )


def load_dataset(config: DataConfig) -> Dataset:
    """Load and split a data set; equal settings and equal images give equal splits.

    Test images are the data set's own; if it has none, they are split off first. Then the training
    images are limited, and validation images are split off from the rest. Every split is
    stratified, and copies of an image are in one of them.

    Args:
        config: a known name, an ``.npz`` file or a folder, and how to split it.

    Raises:
        DataError: the name is unknown or the path does not exist; the data cannot be downloaded or
            read; `image_size` or `skip_broken` is set for anything but a folder; there are fewer
            than two classes; a class has too few images for the splits.
    """
    return _split(_read(config), config)


def _read(config: DataConfig) -> RawDataset:
    name = config.name
    path = Path(name).expanduser()
    is_folder = name not in ("", "digits", *PUBLISHED) and path.is_dir()
    for key, default in (("image_size", None), ("skip_broken", False)):
        value = getattr(config, key)
        if value != default and not is_folder:
            raise DataError(
                f"[data] {key} must be set for a folder of images only, "
                f"but got {key}={value!r} for {name!r}"
            )
    if name == "digits":
        return read_digits()
    if name in PUBLISHED:
        return read_published(name, config.dir)
    if is_folder:
        return read_folder(path, config.image_size, skip_broken=config.skip_broken)
    if path.is_file() and path.suffix == ".npz":
        return read_npz(path)
    if path.is_file():
        raise DataError(
            f"[data] name must be an .npz file or a folder of class folders, but got {name!r}"
        )
    if path.suffix or os.sep in name:
        raise DataError(
            f"[data] name must be an existing .npz file or folder, but {name!r} does not exist "
            f"in {str(Path.cwd())!r}"
        )
    raise DataError(
        f"[data] name must be a known data set, an .npz file or a folder, but got {name!r}"
        f"{nearest(name.lower(), ('digits', *PUBLISHED))}"
    )


def _split(raw: RawDataset, config: DataConfig) -> Dataset:
    """Split off test images if there are none, limit the training images, split off validation."""
    if len(raw.classes) < 2:
        raise DataError(
            f"data set {raw.name!r} must have at least 2 classes, but has only {raw.classes!r}"
        )
    train, test = raw.train, raw.test
    ids = _ids(raw)
    if test is None:
        _check_counts(raw, train, ids, 3, "images (one each to train, validate and test)")
        chosen = stratified_split(train.labels, config.test_fraction, TEST_SEED, leave=2, ids=ids)
        train, test, ids = train.select(~chosen), train.select(chosen), ids[~chosen]
    else:
        _check_counts(raw, train, ids, 2, "training images (one each to train and validate)")
        _check_counts(raw, test, None, 1, "test images")
    chosen = _limit(raw, train, ids, config.train_limit)
    train, ids = train.select(chosen), ids[chosen]
    validates_on_test = config.fitness_on == "test"
    if validates_on_test:
        validation = test
    else:
        chosen = stratified_split(
            train.labels, config.validation_fraction, VALIDATION_SEED, ids=ids
        )
        validation, train = train.select(chosen), train.select(~chosen)
    return Dataset(
        name=raw.name,
        classes=raw.classes,
        train_images=train.images,
        train_labels=train.labels,
        validation_images=validation.images,
        validation_labels=validation.labels,
        test_images=test.images,
        test_labels=test.labels,
        validates_on_test=validates_on_test,
    )


def _ids(raw: RawDataset) -> Labels:
    """Give the training images' ids, equal for equal images, and say what copies there are."""
    parts = [raw.train] if raw.test is None else [raw.train, raw.test]
    all_ids = first_equal(*(part.images for part in parts))
    ids, test_ids = np.split(all_ids, [len(raw.train)])
    n_copies = len(ids) - int(is_first(ids).sum())
    if n_copies:
        logger.warning(
            "%s: %s of %s images are copies of others; copies stay in one split",
            *(raw.name, f"{n_copies:,}", f"{len(ids):,}"),
        )
    n_shared = int(np.isin(test_ids, ids).sum())
    if n_shared:
        logger.warning(
            "%s: %s of %s test images are training images too, so the test accuracy is too high",
            *(raw.name, f"{n_shared:,}", f"{len(test_ids):,}"),
        )
    labels = np.concatenate([part.labels for part in parts])
    in_two = labels != labels[all_ids]
    if in_two.any():
        one = int(np.argmax(in_two))
        logger.warning(
            "%s: %s of %s images are copies of images of another class, such as one of %r and %r",
            *(raw.name, f"{int(in_two.sum()):,}", f"{len(labels):,}"),
            *(raw.classes[labels[all_ids[one]]], raw.classes[labels[one]]),
        )
    return ids


def _limit(raw: RawDataset, train: LabelledImages, ids: Labels, limit: int | None) -> Mask:
    """Choose the training images that a limit leaves."""
    if limit is None or limit >= len(train):
        return np.ones(len(train), np.bool_)
    chosen = stratified_subset(train.labels, limit, LIMIT_SEED)
    counts = _counts(raw, train.labels[chosen], ids[chosen])
    if counts.min() < 2:
        rarest = _counts(raw, train.labels, ids).min()
        raise DataError(
            f"[data] train_limit must leave every class at least 2 images, to train and validate, "
            f"but train_limit={limit!r} leaves class {raw.classes[np.argmin(counts)]!r} "
            f"with {counts.min()}; {-(-2 * len(train) // rarest)} is enough"
        )
    return chosen


def _counts(raw: RawDataset, labels: Labels, ids: Labels | None) -> Counts:
    """Count the images of each class, copies once."""
    different = labels if ids is None else labels[is_first(ids)]
    return class_counts(different, len(raw.classes))


def _check_counts(
    raw: RawDataset, part: LabelledImages, ids: Labels | None, needed: int, what: str
) -> None:
    counts = _counts(raw, part.labels, ids)
    if counts.min() < needed:
        has_copies = ids is not None and not is_first(ids).all()
        raise DataError(
            f"every class of {raw.name!r} must have at least {needed} {what}, "
            f"but class {raw.classes[np.argmin(counts)]!r} has {counts.min()}"
            f"{' that are no copies' if has_copies else ''}"
        )
