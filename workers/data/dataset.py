"""Labelled images as NumPy arrays: as a source gives them, and split for a search.

Arrays are plain, C-contiguous NumPy, so that the processes of a machine share them in Ray's object
store without copying. Arrays read from there are read-only.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from vlga.ports.data import DataSummary
from workers.data.seen import Seen

__all__ = ["Dataset", "Images", "LabelledImages", "Labels", "RawDataset"]

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class LabelledImages:
    """Images with their labels.

    Attributes:
        images: (n, channels, height, width) uint8 in [0, 255].
        labels: (n,) int64, indices of classes.
    """

    images: Images
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, chosen: npt.NDArray[np.bool_]) -> LabelledImages:
        """Give the chosen images, in their order.

        Args:
            chosen: (n,) bool.
        """
        return LabelledImages(self.images[chosen], self.labels[chosen])

    def __add__(self, other: LabelledImages) -> LabelledImages:
        """Give these images, then the others."""
        return LabelledImages(
            np.concatenate([self.images, other.images]),
            np.concatenate([self.labels, other.labels]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class RawDataset:
    """A data set as its source gives it, before any split.

    Attributes:
        name: to be shown.
        classes: names in the order of the labels.
        train: images to train on, and to validate on if there are no others.
        test: the source's own test images, of the same shape, or None.
        validation: likewise to validate on.
        may_mirror: whether images mean the same mirrored left to right; None if nobody knows.
        levels: which became 0 and 255 in images of more than 8 bits a pixel; None if there are
            none.
        is_padded: whether images of another shape lie within, with black around, instead of cut.
        seen: what the files were, if each image was one.
    """

    name: str
    classes: tuple[str, ...]
    train: LabelledImages
    test: LabelledImages | None = None
    validation: LabelledImages | None = None
    may_mirror: bool | None = None
    levels: tuple[float, float] | None = None
    is_padded: bool = False
    seen: Seen | None = None

    @property
    def parts(self) -> tuple[LabelledImages, ...]:
        """Those that there are, training images first."""
        return tuple(part for part in (self.train, self.validation, self.test) if part is not None)


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """The images of a search, split. No image is in two splits, and each split has every class.

    There are two exceptions: a search may take its fitness from the test images on purpose, and the
    test images of a source may have copies among its training images, which is logged.

    Attributes:
        name: to be shown.
        classes: names in the order of the labels, at least 2.
        train_images: (n, channels, height, width) uint8 in [0, 255], C-contiguous.
        train_labels: (n,) int64 in [0, n_classes).
        validation_images: as `train_images`; fitness is measured on them.
        validation_labels: as `train_labels`.
        test_images: as `train_images`; used only for the winner.
        test_labels: as `train_labels`.
        validates_on_test: whether the validation images are the test images.
        may_mirror: whether images mean the same mirrored left to right.
        levels: as of the `RawDataset`.
        is_padded: likewise.
        fingerprint: 16 hexadecimal digits, equal if and only if all arrays and classes are equal.
    """

    name: str
    classes: tuple[str, ...]
    train_images: Images
    train_labels: Labels
    validation_images: Images
    validation_labels: Labels
    test_images: Images
    test_labels: Labels
    validates_on_test: bool = False
    may_mirror: bool = False
    levels: tuple[float, float] | None = None
    is_padded: bool = False
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        for images, labels in self._splits():
            assert images.dtype == np.uint8
            assert images.shape == (len(labels), *self.input_shape)
            assert images.flags.c_contiguous
            assert labels.dtype == np.int64
        object.__setattr__(self, "fingerprint", self._hash())

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of one image."""
        channels, height, width = self.train_images.shape[1:]
        return channels, height, width

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.classes)

    def summary(self) -> DataSummary:
        """Give what a search needs to know about it."""
        return DataSummary(
            name=self.name,
            fingerprint=self.fingerprint,
            input_shape=self.input_shape,
            classes=self.classes,
            n_train=len(self.train_labels),
            n_validation=len(self.validation_labels),
            n_test=len(self.test_labels),
            fitness_on="test" if self.validates_on_test else "validation",
        )

    def _splits(self) -> tuple[tuple[Images, Labels], ...]:
        return (
            (self.train_images, self.train_labels),
            (self.validation_images, self.validation_labels),
            (self.test_images, self.test_labels),
        )

    def _hash(self) -> str:
        digest = hashlib.sha256(repr(self.classes).encode())
        for split in self._splits():
            for array in split:
                digest.update(repr(array.shape).encode())
                digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()[:16]
