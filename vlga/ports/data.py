"""What a search must know of its images."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["TEST_FITNESS", "DataSummary"]


@dataclass(frozen=True, slots=True)
class DataSummary:
    """What a search must know of its images.

    Attributes:
        name: of the data set; ends in `TEST_FITNESS` if it validates on test images.
        fingerprint: of its images, labels and splits; equal exactly if all are.
        input_shape: (channels, height, width).
        classes: names in the order of the labels, at least 2.
        n_train: images to train on.
        n_validation: images that give the fitness.
        n_test: images held out for the winner.
    """

    name: str
    fingerprint: str
    input_shape: tuple[int, int, int]
    classes: tuple[str, ...]
    n_train: int
    n_validation: int
    n_test: int

    @property
    def n_bytes(self) -> int:
        """Bytes of all images, one for a pixel of a channel."""
        return (self.n_train + self.n_validation + self.n_test) * math.prod(self.input_shape)


#: Ends the name of a data set whose test images give the fitness, wherever the name is shown.
TEST_FITNESS = " (fitness on the TEST images)"
