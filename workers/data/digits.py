"""The handwritten digits that come with scikit-learn: real images, no download."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

from workers.data.dataset import LabelledImages, RawDataset

__all__ = ["read_digits"]


def read_digits() -> RawDataset:
    """Read 1,797 grey images of 8x8 pixels, of the classes 0 to 9, without test images."""
    table = np.loadtxt(_digits_file(), delimiter=",")
    images = np.rint(table[:, :-1].reshape(-1, 1, 8, 8) * (255 / 16)).astype(np.uint8)
    train = LabelledImages(images, table[:, -1].astype(np.int64))
    return RawDataset("digits", tuple(str(digit) for digit in range(10)), train, may_mirror=False)


def _digits_file() -> Path:
    """Find what `sklearn.datasets.load_digits` reads; importing it takes three seconds."""
    spec = importlib.util.find_spec("sklearn")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "datasets" / "data" / "digits.csv.gz"
