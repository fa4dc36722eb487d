"""How good a test accuracy is: its standard error, and what simple methods reach."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["accuracy_text", "rivals_lines", "standard_error"]

_NAMES = {
    "largest_class": "always the largest class",
    "nearest_neighbours": "3 nearest neighbours",
    "support_vector_machine": "support-vector machine",
}


def standard_error(accuracy: float, n_images: int) -> float:
    """Give the standard deviation that an accuracy would have over other images as many."""
    return math.sqrt(accuracy * (1 - accuracy) / n_images)


def accuracy_text(accuracy: float, n_images: int) -> str:
    """Give an accuracy with its standard error: 0.9861 ± 0.0062."""
    return f"{accuracy:.4f} ± {standard_error(accuracy, n_images):.4f}"


def rivals_lines(search: Mapping[str, Any], test_accuracy: float | None = None) -> list[str]:
    """Say what simple methods reach, and whether a winner has learned nothing.

    Args:
        search: what is shown of it, with its `rivals` (fields of `vlga.ports.rivals.Rivals`, or
            None if they are not known), `images` by split, and `input_shape`.
        test_accuracy: of its winner, or None if it has none.

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
    accuracies = ", ".join(f"{name} {rivals[key]:.4f}" for key, name in _NAMES.items())
    lines = [f"for comparison: {accuracies}" + (f" ({', '.join(limits)})" if limits else "")]
    if test_accuracy is not None and test_accuracy <= rivals["largest_class"]:
        lines.append("the winner is no better than always naming the largest class")
    return lines
