"""Images in a NumPy archive, ``x_train y_train [x_val y_val] [x_test y_test]``, or ``x y``.

Images are (n, height, width), (n, height, width, channels) or (n, channels, height, width).
The axis of length 1, 3 or 4 has the channels; if both could, the last one has.
"""

from __future__ import annotations

import logging
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from vlga.errors import DataError
from workers.data.arrays import CHANNELS, Array, channels_first
from workers.data.dataset import Images, LabelledImages, Labels, RawDataset

__all__ = ["read_images", "read_npz"]

logger = logging.getLogger(__name__)

_KEYS = tuple(f"{kind}_{part}" for part in ("train", "val", "test") for kind in "xy")
_SHORT = {"x": "x_train", "y": "y_train"}


def read_npz(path: Path) -> RawDataset:
    """Read an archive. Labels are whole numbers or strings; classes are their values, sorted.

    Images are uint8, or floats in [0, 1] which are scaled to [0, 255] and rounded. Whole numbers of
    16 bits are scaled by the largest of the archive, if that is above 255. Capitals in the names of
    arrays do not matter, and x and y alone are x_train and y_train.

    Raises:
        DataError: the file is not an archive of plain arrays; an array is missing; images have an
            unknown shape, type or range, or contain NaN; labels have another type or do not fit the
            images; images to validate or test on have another shape, or a class that no other has.
    """
    arrays, names = _read_arrays(path)
    _require_pairs(path, arrays, names)
    arrays, levels = _in_eight_bits(path, arrays)
    values = np.unique(_checked_labels(path, arrays, "train"))
    classes = tuple(str(value) for value in values)
    train = _labelled(path, arrays, "train", values)
    others: dict[str, LabelledImages] = {}
    for name in ("val", "test"):
        if f"x_{name}" not in arrays:
            continue
        others[name] = one = _labelled(path, arrays, name, values)
        if one.images.shape[1:] != train.images.shape[1:]:
            raise DataError(
                f"{str(path)!r}: x_{name} must have images of the shape of x_train's "
                f"{train.images.shape[1:]}, but got {one.images.shape[1:]} (channels first)"
            )
    parts = train, others.get("test"), others.get("val")
    return RawDataset(path.stem, classes, *parts, levels=levels)


def _require_pairs(path: Path, arrays: Mapping[str, Array], names: Sequence[str]) -> None:
    """Refuse images without labels, labels without images, and neither."""
    needed = [
        key
        for name in ("train", "val", "test")
        for key in (f"x_{name}", f"y_{name}")
        if name == "train" or f"x_{name}" in arrays or f"y_{name}" in arrays
    ]
    missing = [key for key in needed if key not in arrays]
    if missing:
        has = f"{', '.join(names[:10])}{' and more' if len(names) > 10 else ''}" or "none"
        raise DataError(
            f"{str(path)!r} must have the arrays {', '.join(needed)}, "
            f"but {missing[0]!r} is missing; it has {has}"
        )


def read_images(path: Path) -> Images:
    """Read images without labels: the array ``x``, or the only one.

    Returns:
        (n, height, width, channels) uint8, with 1, 3 or 4 channels.

    Raises:
        DataError: the file is not an archive of plain arrays; which array is meant is not clear; it
            is anything but uint8 (n, height, width[, channels]), with at least one image.
    """
    arrays, names = _load(path, _only)
    if not arrays:
        has = ", ".join(names[:10]) or "none"
        raise DataError(
            f"{str(path)!r} must have its images in the array x, or one array only, but has {has}"
        )
    (given,) = arrays.values()
    images = given[..., None] if given.ndim == 3 else given
    is_known = images.ndim == 4 and images.shape[3] in CHANNELS and images.size
    if images.dtype != np.uint8 or not is_known:
        raise DataError(
            f"{str(path)!r}: images must be uint8 (n, height, width) or (n, height, width, "
            f"channels) with 1, 3 or 4 channels, but got {given.dtype} {given.shape}"
        )
    return images


def _only(names: Sequence[str]) -> dict[str, str]:
    found = [name for name in names if name.lower() == "x"] or names
    return {"x": found[0]} if len(found) == 1 else {}


def _read_arrays(path: Path) -> tuple[dict[str, Array], list[str]]:
    """Give the arrays that are known by their names, and the names of all."""

    def known(names: Sequence[str]) -> dict[str, str]:
        by_key = {_known_name(name, names): name for name in names}
        return {key: by_key[key] for key in _KEYS if key in by_key}

    return _load(path, known)


def _load(
    path: Path, choose: Callable[[Sequence[str]], Mapping[str, str]]
) -> tuple[dict[str, Array], list[str]]:
    """Give the arrays of an archive that are chosen by their names, and the names of all."""
    try:
        with path.open("rb") as file:  # np.load leaves a file open that it cannot read
            archive = np.load(file, allow_pickle=False)
            if isinstance(archive, np.lib.npyio.NpzFile):
                chosen = choose(archive.files)
                return {key: archive[name] for key, name in chosen.items()}, archive.files
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        reason = "it has Python's objects" if "allow_pickle" in str(error) else str(error)
        raise DataError(
            f"{str(path)!r} must be a NumPy archive of plain arrays, "
            f"but reading it failed: {reason}"
        ) from error
    raise DataError(
        f"{str(path)!r} must be a NumPy archive, but it is one array; write it with numpy.savez"
    )


def _known_name(name: str, names: Sequence[str]) -> str:
    """Give the name of `_KEYS` that an array's name stands for, such as x_train for X."""
    known = _SHORT.get(name.lower(), name.lower())
    return name if known in names else known


def _in_eight_bits(
    path: Path, arrays: dict[str, Array]
) -> tuple[dict[str, Array], tuple[float, float] | None]:
    """Scale images of 16 bits a pixel, training and test images alike; say by which levels."""
    deep = {
        key: array
        for key, array in arrays.items()
        if key.startswith("x_") and array.dtype.kind in "iu" and array.dtype.itemsize == 2
    }
    highest = max((int(array.max(initial=0)) for array in deep.values()), default=0)
    if highest <= 255 or any(int(array.min(initial=0)) < 0 for array in deep.values()):
        return arrays, None
    logger.info("%s: levels of 16 bits up to %s become 0 to 255", path, f"{highest:,}")
    scale = np.float32(255 / highest)
    scaled = {key: np.rint(one * scale).astype(np.uint8) for key, one in deep.items()}
    return arrays | scaled, (0.0, float(highest))


def _labelled(path: Path, arrays: dict[str, Array], part: str, values: Array) -> LabelledImages:
    """Give one part's images, its labels as indices of the sorted values."""
    images = _images(path, f"x_{part}", arrays[f"x_{part}"])
    given = _checked_labels(path, arrays, part)
    labels: Labels = np.searchsorted(values, given).clip(max=len(values) - 1).astype(np.int64)
    unknown = given[values[labels] != given]
    if len(unknown):
        raise DataError(
            f"{str(path)!r}: y_{part} must have only labels of y_train, "
            f"but got {unknown[0].item()!r}"
        )
    return LabelledImages(images, labels)


def _checked_labels(path: Path, arrays: dict[str, Array], part: str) -> Array:
    """Give one part's labels as (n,) whole numbers or strings, as many as it has images."""
    images, labels = arrays[f"x_{part}"], arrays[f"y_{part}"]
    if labels.ndim == 2 and labels.shape[1] == 1:  # as Keras keeps CIFAR-10's
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "biuU":
        raise DataError(
            f"{str(path)!r}: y_{part} must be (n,) whole numbers or strings, "
            f"but got {labels.shape} {labels.dtype}"
        )
    n_images = len(images) if images.ndim else 0
    if not n_images or len(labels) != n_images:
        raise DataError(
            f"{str(path)!r}: x_{part} and y_{part} must have the same length, at least 1, "
            f"but got {n_images} images and {len(labels)} labels"
        )
    return labels


def _images(path: Path, key: str, array: Array) -> Images:
    """Give images as (n, channels, height, width) uint8."""
    images = channels_first(array)
    if images is None or not images.size:
        raise DataError(
            f"{str(path)!r}: {key} must be (n, height, width), (n, height, width, channels) or "
            f"(n, channels, height, width) with 1, 3 or 4 channels, but got {array.shape}"
        )
    return np.ascontiguousarray(_to_uint8(path, key, images))


def _to_uint8(path: Path, key: str, array: Array) -> Images:
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind not in "iuf":
        raise DataError(f"{str(path)!r}: {key} must be numbers, but got {array.dtype}")
    low, high = array.min().item(), array.max().item()
    is_float = array.dtype.kind == "f"
    # NaN fails every comparison
    if not (low >= 0 and high <= (1 if is_float else 255)):
        raise DataError(
            f"{str(path)!r}: {key} must be whole numbers in [0, 255] or floats in [0, 1], "
            f"but got {array.dtype} in [{low!r}, {high!r}]"
        )
    return np.rint(array * 255).astype(np.uint8) if is_float else array.astype(np.uint8)
