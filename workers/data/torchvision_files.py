"""Published data sets in torchvision's files, read and downloaded by torchvision's own classes."""

from __future__ import annotations

import contextlib
import http.client
import logging
import os
import sys
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from vlga.errors import DataError
from workers.data.dataset import LabelledImages, RawDataset

__all__ = ["PUBLISHED", "PublishedDataset", "data_folder", "read_published"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PublishedDataset:
    """A data set that torchvision knows.

    Attributes:
        torchvision_name: its class in `torchvision.datasets`.
        input_shape: (channels, height, width).
        n_classes: number of classes.
        n_train: images to train on.
        n_test: images to test on.
        files: what torchvision reads, relative to the data folder.
        may_mirror: whether its images mean the same mirrored left to right.
    """

    torchvision_name: str
    input_shape: tuple[int, int, int]
    n_classes: int
    n_train: int
    n_test: int
    files: tuple[str, ...]
    may_mirror: bool = False

    def is_in(self, folder: Path) -> bool:
        """Whether all files are in the data folder; they may still be corrupt."""
        return all((folder / file).is_file() for file in self.files)


def _mnist_files(name: str) -> tuple[str, ...]:
    return tuple(
        f"{name}/raw/{part}-{kind}-ubyte"
        for part in ("train", "t10k")
        for kind in ("images-idx3", "labels-idx1")
    )


_CIFAR10_FILES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta")

PUBLISHED = {
    "mnist": PublishedDataset("MNIST", (1, 28, 28), 10, 60_000, 10_000, _mnist_files("MNIST")),
    "fashion-mnist": PublishedDataset(
        "FashionMNIST", (1, 28, 28), 10, 60_000, 10_000, _mnist_files("FashionMNIST")
    ),
    "cifar10": PublishedDataset(
        "CIFAR10",
        (3, 32, 32),
        10,
        50_000,
        10_000,
        tuple(f"cifar-10-batches-py/{file}" for file in _CIFAR10_FILES),
        may_mirror=True,
    ),
    "cifar100": PublishedDataset(
        "CIFAR100",
        (3, 32, 32),
        100,
        50_000,
        10_000,
        tuple(f"cifar-100-python/{file}" for file in ("train", "test", "meta")),
        may_mirror=True,
    ),
    "svhn": PublishedDataset(
        "SVHN", (3, 32, 32), 10, 73_257, 26_032, ("train_32x32.mat", "test_32x32.mat")
    ),
}


def data_folder(data_dir: str | None) -> Path:
    """Give the folder of torchvision's files: as set, else `VLGA_DATA`, else the user's cache."""
    folder = data_dir or os.environ.get("VLGA_DATA") or platformdirs.user_cache_dir("vlga")
    return Path(folder).expanduser()


def read_published(name: str, data_dir: str | None) -> RawDataset:
    """Read a published data set, downloading it first if it is absent.

    Args:
        name: a key of `PUBLISHED`.
        data_dir: as `data_folder` takes it.

    Raises:
        DataError: the files are absent and cannot be downloaded; a file is corrupt.
    """
    published, folder = PUBLISHED[name], data_folder(data_dir)
    if not published.is_in(folder):
        _download(name, published, folder)
    try:
        parts = [_open(published, folder, is_train=is_train) for is_train in (True, False)]
        train, test = (_labelled(part, published) for part in parts)
    # torchvision checks some files with assert; for others, reading them raises what it may
    except (RuntimeError, ValueError, TypeError, LookupError, AssertionError, OSError) as error:
        raise DataError(
            f"data set {name!r} in {str(folder)!r} must be torchvision's files, but they are "
            f"corrupt ({_one_line(error)}); delete {published.files[0]!r} and the files beside it, "
            "and they are downloaded again"
        ) from error
    # MNIST's classes are called "0 - zero"
    names = getattr(parts[0], "classes", range(published.n_classes))
    classes = tuple(str(class_name).split(" - ")[0] for class_name in names)
    return RawDataset(name, classes, train, test, may_mirror=published.may_mirror)


def _open(
    published: PublishedDataset, folder: Path, *, is_train: bool, download: bool = False
) -> Any:
    """Give torchvision's data set."""
    from torchvision import datasets

    kind = getattr(datasets, published.torchvision_name)
    if published.torchvision_name == "SVHN":
        return kind(folder, split="train" if is_train else "test", download=download)
    return kind(folder, train=is_train, download=download)


def _download(name: str, published: PublishedDataset, folder: Path) -> None:
    logger.info("downloading data set %r to %s", name, folder)
    try:
        # standard output belongs to the command line's tables; older torchvisions print to it
        with contextlib.redirect_stdout(sys.stderr):
            for is_train in (True, False):
                _open(published, folder, is_train=is_train, download=True)
    except (
        RuntimeError,
        OSError,
        EOFError,
        http.client.HTTPException,
        tarfile.TarError,
        zlib.error,
    ) as error:
        raise DataError(
            f"data set {name!r} must be in {str(folder)!r} as {published.files[0]!r} and so on, "
            f"but it is not, and its download failed ({_one_line(error)}); "
            "give the folder that has it with --data-dir or VLGA_DATA"
        ) from error


def _labelled(part: Any, published: PublishedDataset) -> LabelledImages:
    """Give a torchvision data set's images as (n, channels, height, width)."""
    images = np.asarray(part.data)
    if images.ndim == 3:
        images = images[:, None]
    elif images.shape[1:] != published.input_shape:
        images = images.transpose(0, 3, 1, 2)
    labels = np.asarray(part.targets if hasattr(part, "targets") else part.labels, np.int64)
    if len(images) != len(labels) or not np.isin(labels, range(published.n_classes)).all():
        raise ValueError(f"labels do not fit {len(images)} images of {published.n_classes} classes")
    return LabelledImages(np.ascontiguousarray(images), labels)


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
