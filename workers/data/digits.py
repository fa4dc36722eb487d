"""The handwritten digits that come with scikit-learn: real images, no download."""

from __future__ import annotations

import numpy as np

from workers.data.dataset import LabelledImages, RawDataset

__all__ = ["read_digits"]


def read_digits() -> RawDataset:
    """Read 1,797 grey images of 8x8 pixels, of the classes 0 to 9, without test images."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[:, None]
    train = LabelledImages(images, digits.target.astype(np.int64))
    return RawDataset("digits", tuple(str(digit) for digit in range(10)), train, may_mirror=False)
