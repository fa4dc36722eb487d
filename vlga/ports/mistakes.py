"""What a network gets wrong on test images: counts and pictures, for a text or a page to show."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

__all__ = ["Bin", "Mistake", "Mistakes"]


@dataclass(frozen=True, slots=True)
class Bin:
    """Images of which a network is about equally sure.

    Attributes:
        n_images: at least 1.
        confidence: mean of the probabilities of the classes that it names, in [0, 1].
        accuracy: share of these classes that are right.
    """

    n_images: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Mistake:
    """An image that a network takes for another class than it is of.

    Attributes:
        index: of the image among the test images, from 0.
        is_a: name of its class.
        taken_for: name of the class that the network gives it.
        confidence: the probability of that class, in [0, 1].
        png: the image as the network has it, or smaller; a file of PNG.
    """

    index: int
    is_a: str
    taken_for: str
    confidence: float
    png: bytes


@dataclass(frozen=True, slots=True)
class Mistakes:
    """What a network gets right and wrong on test images.

    Attributes:
        classes: names.
        confusion: for each class, how many of its images are taken for each class.
        bins: those that have images, the least sure first.
        worst: mistakes, the surest first.
    """

    classes: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    bins: tuple[Bin, ...]
    worst: tuple[Mistake, ...]

    def to_dict(self) -> dict[str, Any]:
        """Give what JSON can say and `from_dict` reads; pictures in base64."""
        tree = asdict(self)
        for one in tree["worst"]:
            one["png"] = b64encode(one["png"]).decode()
        return tree

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave, also after JSON."""
        worst = ({**one, "png": b64decode(one["png"])} for one in tree["worst"])
        return cls(
            tuple(tree["classes"]),
            tuple(tuple(row) for row in tree["confusion"]),
            tuple(Bin(**one) for one in tree["bins"]),
            tuple(Mistake(**one) for one in worst),
        )

    @property
    def n_images(self) -> int:
        """Test images."""
        return sum(map(sum, self.confusion))

    @property
    def n_wrong(self) -> int:
        """Images that are taken for another class than they are of."""
        return self.n_images - sum(row[number] for number, row in enumerate(self.confusion))

    @property
    def accuracy(self) -> float:
        """In [0, 1]."""
        return 1 - self.n_wrong / self.n_images

    @property
    def class_accuracies(self) -> tuple[float | None, ...]:
        """Share of each class's images that are taken for it; None of a class without images."""
        return tuple(
            row[number] / sum(row) if sum(row) else None
            for number, row in enumerate(self.confusion)
        )

    @property
    def confidence(self) -> float:
        """Mean probability of the classes that the network names, in [0, 1]."""
        return sum(one.n_images * one.confidence for one in self.bins) / self.n_images

    @property
    def calibration_error(self) -> float:
        """Expected calibration error, in [0, 1]: how far confidence and accuracy of a bin differ.

        Guo et al. 2017: "On calibration of modern neural networks", https://arxiv.org/abs/1706.04599.
        """
        gaps = (one.n_images * abs(one.confidence - one.accuracy) for one in self.bins)
        return sum(gaps) / self.n_images
