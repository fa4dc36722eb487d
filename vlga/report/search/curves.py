"""Figures of how networks learned: several beside each other, and one training by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vlga.report.figures import (
    DASHES,
    MARKERS,
    PALE,
    PALETTE,
    Figure,
    Point,
    counted_axis,
    error_axis,
    error_of,
    figure_of,
    line,
)
from vlga.report.formats import number_of

__all__ = ["curves_figure", "training_figure"]


def curves_figure(curves: Mapping[int, Sequence[tuple[int, float]]], *, n_images: int) -> Figure:
    """Draw learning curves: validation accuracy after each epoch.

    Args:
        curves: points of (epochs trained, accuracy) by candidate, the fittest first.
        n_images: number of validation images, at least 1.
    """
    smallest = 0.5 / n_images
    data = []
    for i, (number, curve) in enumerate(curves.items()):
        some = [
            Point(
                epoch,
                error_of(value, smallest),
                f"#{number} after {number_of(epoch, 'epoch')}: {value:.4f}",
                number,
            )
            for epoch, value in curve
        ]
        data.append(line(f"#{number}", some, PALETTE[i % len(PALETTE)], MARKERS[i % len(MARKERS)]))
    end = max((curve[-1][0] for curve in curves.values()), default=1)
    accuracies = [value for curve in curves.values() for _, value in curve]
    return figure_of(
        data,
        xaxis=counted_axis("epochs trained", 0.5, end + 0.5),
        yaxis=error_axis("validation accuracy", accuracies, smallest),
        showlegend=True,
    )


def training_figure(curve: Sequence[Mapping[str, Any]], *, n_images: int) -> Figure:
    """Draw one training: accuracies after each epoch, on grey where layers were amplified.

    Args:
        curve: by epoch, `epoch` from 0, `train_accuracy` and `validation_accuracy` in [0, 1], the
            latter None where it was not measured, and the names of the `amplified_layers`.
        n_images: number of validation images, at least 1.
    """
    smallest = 0.5 / n_images
    data, accuracies = [], []
    for i, (key, images) in enumerate(
        (("validation_accuracy", "validation images"), ("train_accuracy", "images trained on"))
    ):
        known = [(one["epoch"] + 1, one[key]) for one in curve if one[key] is not None]
        accuracies += [value for _, value in known]
        some = [
            Point(epoch, error_of(value, smallest), f"epoch {epoch}, {images}: {value:.4f}")
            for epoch, value in known
        ]
        if some:
            data.append(line(images, some, PALETTE[i], MARKERS[i], dash=DASHES[i]))
    amplified = [
        {
            "type": "rect",
            "x0": one["epoch"] + 0.5,
            "x1": one["epoch"] + 1.5,
            "y0": 0,
            "y1": 1,
            "yref": "paper",
            "fillcolor": f"{PALE}33",
            "line": {"width": 0},
            "layer": "below",
        }
        for one in curve
        if one["amplified_layers"]
    ]
    return figure_of(
        data,
        height=320,
        xaxis=counted_axis("epochs trained", 0.5, max(1, len(curve)) + 0.5),
        yaxis=error_axis("accuracy", accuracies, smallest),
        shapes=amplified,
        showlegend=True,
    )
