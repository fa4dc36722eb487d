"""How good a test accuracy is: its standard error, and what simple methods reach."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from vlga.config.fitness import FitnessName, fitness_words

__all__ = ["accuracy_text", "rivals_lines", "scores_text", "standard_error"]

_NAMES = {
    "largest_class": "always the largest class",
    "nearest_neighbours": "3 nearest neighbours",
    "support_vector_machine": "support-vector machine",
}


def standard_error(accuracy: float, n_images: int) -> float:
    """Give the standard deviation that an accuracy would have over other images as many.

    Where all are right or none is, it is that of half an image more or less: a few images without
    a mistake do not tell that there will be none.
    """
    half = 0.5 / n_images
    share = min(max(accuracy, half), 1 - half)
    return math.sqrt(share * (1 - share) / n_images)


def accuracy_text(accuracy: float, n_images: int) -> str:
    """Give an accuracy with its standard error: 0.9861 ± 0.0062."""
    return f"{accuracy:.4f} ± {standard_error(accuracy, n_images):.4f}"


def scores_text(tested: Mapping[str, Any], n_images: int, fitness: FitnessName) -> str:
    """Give a test accuracy, and after it the fitness on the same images, if that is another.

    Args:
        tested: with its `test_accuracy` and its `test_fitness`.
        n_images: that it was tested on.
        fitness: of the search.
    """
    text = accuracy_text(tested["test_accuracy"], n_images)
    if fitness == "accuracy":
        return text
    return f"{text}, {fitness_words(fitness)} {tested['test_fitness']:.4f}"


def rivals_lines(search: Mapping[str, Any], test_fitness: float | None = None) -> list[str]:
    """Say what simple methods reach, and whether a winner has learned nothing.

    Args:
        search: what is shown of it, with its `rivals` (fields of `vlga.ports.rivals.Rivals`, or
            None if they are not known), `images` by split, and `input_shape`; and its `fitness`,
            where it has a winner.
        test_fitness: of its winner on the test images, or None if it has none.

    Returns:
        One line or two; none if the rivals are not known.
    """
    rivals, images = search["rivals"], search["images"]
    if rivals is None:
        return []
    limits = []
    if rivals["n_fit"] < images["train"]:
        limits.append(f"fit on {rivals['n_fit']:,} images")
    if rivals["n_tested"] < images["test"]:
        limits.append(f"tested on {rivals['n_tested']:,}")
    if list(rivals["image_shape"]) != list(search["input_shape"]):
        limits.append(f"shrunk to {'x'.join(map(str, rivals['image_shape']))}")
    values = ", ".join(f"{name} {rivals[key]:.4f}" for key, name in _NAMES.items())
    measure = rivals.get("measure", "accuracy")  # absent in searches of earlier versions
    what = "" if measure == "accuracy" else f"{fitness_words(measure)} of "
    lines = [f"for comparison: {what}{values}" + (f" ({', '.join(limits)})" if limits else "")]
    is_known = test_fitness is not None and measure == search["fitness"]
    if is_known and test_fitness <= rivals["largest_class"]:
        lines.append("the winner is no better than always naming the largest class")
    return lines
