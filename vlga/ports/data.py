"""What a search must know of its images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from vlga.config.fitness import FitnessName, fitness_words

__all__ = ["DataSummary", "FitnessOn", "data_label", "fitness_label"]

#: Which images give the fitness.
FitnessOn = Literal["validation", "test"]


@dataclass(frozen=True, slots=True)
class DataSummary:
    """What a search must know of its images.

    Attributes:
        name: of the data set.
        fingerprint: of its images, labels and splits; equal exactly if all are.
        input_shape: (channels, height, width).
        classes: names in the order of the labels, at least 2.
        n_train: images to train on.
        n_validation: images that give the fitness.
        n_test: images held out for the winner.
        fitness_on: which images give the fitness; if ``test``, those are the test images.
    """

    name: str
    fingerprint: str
    input_shape: tuple[int, int, int]
    classes: tuple[str, ...]
    n_train: int
    n_validation: int
    n_test: int
    fitness_on: FitnessOn = "validation"

    @property
    def n_bytes(self) -> int:
        """Bytes of all images, one for a pixel of a channel."""
        return (self.n_train + self.n_validation + self.n_test) * math.prod(self.input_shape)

    @property
    def images(self) -> dict[str, int]:
        """How many images each split has."""
        return {"train": self.n_train, "validation": self.n_validation, "test": self.n_test}

    @property
    def label(self) -> str:
        """The name as it is shown, see `data_label`."""
        return data_label(self.name, self.fitness_on)


def data_label(name: str, fitness_on: FitnessOn) -> str:
    """Give a data set's name as it is shown: marked if its test images give the fitness."""
    return f"{name} (fitness on the TEST images)" if fitness_on == "test" else name


def fitness_label(fitness: FitnessName, fitness_on: FitnessOn) -> str:
    """Name a search's fitness as it is shown: ``validation accuracy``, ``TEST macro F1``."""
    return f"{'TEST' if fitness_on == 'test' else 'validation'} {fitness_words(fitness)}"
