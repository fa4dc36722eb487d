"""What simple methods reach on a search's images, for its test accuracy to be held against."""

from __future__ import annotations

from dataclasses import dataclass

from vlga.config.fitness import FitnessName

__all__ = ["Rivals"]


@dataclass(frozen=True, slots=True)
class Rivals:
    """Accuracies of simple methods on the test images, in [0, 1], or what else `measure` says.

    They are fit on the images that a winner is trained on: the training and validation images, or
    the training images alone where the validation images are the test images.

    Attributes:
        largest_class: of the answer that is right most often among the images fit on.
        nearest_neighbours: of the majority of the three nearest images, by Euclidean distance of
            their pixels; of the nearest one if all three differ.
        support_vector_machine: with a Gaussian kernel on the pixels, by least squares.
        n_fit: images fit on, fewer than there are if there are many.
        n_tested: test images, fewer than there are if there are many.
        image_shape: (channels, height, width) that the images were compared at; larger ones are
            shrunk.
        measure: the search's kind of fitness; ``accuracy`` if that is of probabilities, which these
            methods do not give.
    """

    largest_class: float
    nearest_neighbours: float
    support_vector_machine: float
    n_fit: int
    n_tested: int
    image_shape: tuple[int, int, int]
    measure: FitnessName = "accuracy"
