"""From the name of a data set to its split images."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from vlga.config.data import DataConfig
from vlga.errors import DataError, nearest, shown
from workers.data.copies import find_copies, say_copies
from workers.data.counts import classes_text, say_if_few
from workers.data.dataset import Dataset, Images, LabelledImages, Labels, RawDataset
from workers.data.digits import read_digits
from workers.data.folder import read_folder, read_readable
from workers.data.known import is_known
from workers.data.npz import read_npz
from workers.data.split import (
    Counts,
    Mask,
    class_counts,
    is_first,
    stratified_split,
    stratified_subset,
)
from workers.data.torchvision_files import PUBLISHED, read_published

__all__ = ["is_image_folder", "load_dataset", "read_dataset", "split_dataset"]

logger = logging.getLogger(__name__)

#: Pixels of the shorter side that an image has at least that may be a photograph.
_SMALLEST_PHOTOGRAPH = 16

#: Seeds of the splits. Not the search's seed: all searches on the same images share their splits.
TEST_SEED, LIMIT_SEED, VALIDATION_SEED = 1, 2, 3


def load_dataset(config: DataConfig) -> Dataset:
    """Load and split a data set; equal settings and equal images give equal splits.

    Test images are the data set's own; if it has none, they are split off first. Then the training
    images are limited, and validation images are split off from the rest, unless the data set has
    its own. Every split is stratified, and copies of an image are in one of them. How many images
    the classes of one's own data have is logged.

    Args:
        config: a known name, an ``.npz`` file or a folder, and how to split it.

    Raises:
        DataError: the name is unknown or the path does not exist; the data cannot be downloaded or
            read; `image_size`, `fit` or `skip_broken` is set for anything but a folder; there are
            fewer than two classes; a class has too few images for the splits.
    """
    raw = read_dataset(config)
    dataset = split_dataset(raw, config)
    if not is_known(config.name):
        logger.info("%s: %s", raw.name, classes_text(raw))
        say_if_few(dataset)
    return dataset


def is_image_folder(name: str) -> bool:
    """Tell whether this is the folder of one's own images.

    Raises:
        DataError: the name can be no path.
    """
    try:
        return name != "" and not is_known(name) and Path(name).expanduser().is_dir()
    except (OSError, RuntimeError) as error:  # too long, in a closed folder, of an unknown user
        raise DataError(
            f"[data] name must be an .npz file or folder that can be read, but {shown(name)} "
            f"cannot: {getattr(error, 'strerror', None) or error}"
        ) from error


def read_dataset(config: DataConfig, *, only_readable: bool = False) -> RawDataset:
    """Read a data set, not split yet.

    Args:
        config: as `load_dataset` takes it.
        only_readable: whether broken files of a folder are left out in silence.

    Raises:
        DataError: as `load_dataset` before it splits.
    """
    name, is_folder = config.name, is_image_folder(config.name)
    path = Path(name) if is_known(name) else Path(name).expanduser()
    if is_known(name) or path.is_file():
        _refuse_what_is_for_folders(config)
    if name == "digits":
        return read_digits()
    if name in PUBLISHED:
        return read_published(name, config.dir)
    if is_folder:
        padded = config.fit == "pad"
        if only_readable:
            return read_readable(path, config.image_size, padded=padded)
        return read_folder(path, config.image_size, padded=padded, skip_broken=config.skip_broken)
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


def _refuse_what_is_for_folders(config: DataConfig) -> None:
    for key, default in (("image_size", "auto"), ("fit", "crop"), ("skip_broken", False)):
        value = getattr(config, key)
        if value != default:
            raise DataError(
                f"[data] {key} must be set for a folder of images only, "
                f"but got {key}={value!r} for {config.name!r}"
            )


def split_dataset(raw: RawDataset, config: DataConfig) -> Dataset:
    """Split a data set as `load_dataset` does.

    Args:
        raw: the images.
        config: how to split them; where they come from does not matter.

    Raises:
        DataError: there are fewer than two classes; a class has too few images for the splits.
    """
    if len(raw.classes) < 2:
        raise DataError(
            f"data set {raw.name!r} must have at least 2 classes, but has only {raw.classes!r}"
        )
    validates_on_test = config.fitness_on == "test"
    if validates_on_test and raw.validation is not None:
        raw = replace(raw, train=raw.train + raw.validation, validation=None)
    train, validation, test = raw.train, raw.validation, raw.test
    copies = find_copies(raw)
    say_copies(raw, copies)
    ids = copies.ids
    purposes = ["train", *["validate"] * (validation is None), *["test"] * (test is None)]
    _check_counts(raw, train, ids, len(purposes), f"images to {' and '.join(purposes)}")
    to_leave = 1 + (validation is None)
    if test is None:
        chosen = stratified_split(
            train.labels, config.test_fraction, TEST_SEED, leave=to_leave, ids=ids
        )
        train, test, ids = train.select(~chosen), train.select(chosen), ids[~chosen]
    for part, what in ((validation, "validation"), (raw.test, "test")):
        if part is not None:
            _check_counts(raw, part, None, 1, f"{what} images")
    chosen = _limit(raw, train, ids, config.train_limit, to_leave)
    train, ids = train.select(chosen), ids[chosen]
    if validates_on_test:
        validation = test
    elif validation is None:
        chosen = stratified_split(
            train.labels, config.validation_fraction, VALIDATION_SEED, ids=ids
        )
        validation, train = train.select(chosen), train.select(~chosen)
    may_mirror = raw.may_mirror
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
        may_mirror=_are_photographs(train.images) if may_mirror is None else may_mirror,
        levels=raw.levels,
        is_padded=raw.is_padded,
    )


def _are_photographs(images: Images) -> bool:
    """Guess whether images mean the same mirrored: those in colour that are not tiny.

    Digits and letters do not, and grey or tiny images often are such.
    """
    channels, height, width = images.shape[1:]
    return bool(channels == 3 and min(height, width) >= _SMALLEST_PHOTOGRAPH)


def _limit(
    raw: RawDataset, train: LabelledImages, ids: Labels, limit: int | None, needed: int
) -> Mask:
    """Choose the training images that a limit leaves."""
    if limit is None or limit >= len(train):
        return np.ones(len(train), np.bool_)
    chosen = stratified_subset(train.labels, limit, LIMIT_SEED)
    counts = _counts(raw, train.labels[chosen], ids[chosen])
    if counts.min() < needed:
        rarest = _counts(raw, train.labels, ids).min()
        what = "2 images, to train and validate," if needed == 2 else "1 image"
        raise DataError(
            f"[data] train_limit must leave every class at least {what} "
            f"but train_limit={limit!r} leaves class {raw.classes[np.argmin(counts)]!r} "
            f"with {counts.min()}; {-(-needed * len(train) // rarest)} is enough"
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
