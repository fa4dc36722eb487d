"""The data sets that have a name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workers.data.torchvision_files import PUBLISHED, data_folder

__all__ = ["KnownDataset", "is_known", "known_datasets"]


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


def is_known(name: str) -> bool:
    """Tell whether this is the name of a known data set, not one's own images."""
    return name == "digits" or name in PUBLISHED
