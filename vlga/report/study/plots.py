"""Figures of a study: how arms differ from plain and learn, which layers were amplified when."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vlga.report.plots import MARKERS, PALETTE, tidy
from vlga.report.study.summary import ArmResult, LayerHistory

__all__ = ["differences_figure", "layers_figure", "learning_figure"]


def differences_figure(results: Sequence[ArmResult]) -> Figure:
    """Draw each arm's difference from plain, in percentage points, with its standard error.

    Args:
        results: at least one with a difference; those without are left out.
    """
    compared = [one for one in results if one.minus_plain is not None]
    figure = Figure(figsize=(8, 1.2 + 0.28 * len(compared)), layout="constrained")
    axes = figure.subplots()
    axes.axvline(0, color="#888888", linewidth=1)
    for row, one in enumerate(compared):
        is_clear = one.verdict in ("better", "worse")
        axes.errorbar(
            100 * (one.minus_plain or 0.0),
            row,
            xerr=None if one.minus_plain_se is None else 100 * one.minus_plain_se,
            fmt="o",
            color="C0",
            markerfacecolor="C0" if is_clear else "white",
            capsize=3,
        )
    names = [f"{one.network}, {one.learning_rate:g}, {one.arm}" for one in compared]
    axes.set_yticks(range(len(compared)), names, fontsize=8)
    axes.set_ylim(len(compared) - 0.5, -0.5)
    axes.set_xlabel("percentage points of test accuracy more than plain")
    tidy(axes, "x")
    return figure


def learning_figure(curves: Mapping[str, Sequence[float]]) -> Figure:
    """Draw each arm's validation accuracy, in percent, after each epoch.

    Args:
        curves: by arm, accuracies in [0, 1].
    """
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for i, (arm, accuracies) in enumerate(curves.items()):
        style = f"-{MARKERS[i % len(MARKERS)]}" if len(accuracies) <= 30 else "-"
        values = [100 * one for one in accuracies]
        colour = PALETTE[i % len(PALETTE)]
        axes.plot(range(1, len(values) + 1), values, style, color=colour, ms=4, label=arm)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.set_xlabel("epochs trained")
    axes.set_ylabel("validation accuracy in percent")
    axes.legend(loc="lower right", fontsize=8, framealpha=0.9, edgecolor="none")
    tidy(axes)
    return figure


def layers_figure(histories: Sequence[LayerHistory]) -> Figure:
    """Draw an arm's layers over its epochs as two maps: G on the left, amplified on the right.

    The map of G is left out if it was not measured in any epoch.

    Args:
        histories: at least one, all with the same number of epochs.
    """
    measures = [
        [math.nan if value is None else value for value in one.measures] for one in histories
    ]
    maps = [("G, mean over the seeds", np.array(measures), "viridis")]
    if np.isnan(maps[0][1]).all():
        maps = []
    chosen = np.array([one.chosen for one in histories], dtype=float)
    maps.append(("amplified, share of the seeds", chosen, "Blues"))
    figure = Figure(figsize=(8, 1.2 + 0.22 * len(histories)), layout="constrained")
    grid = figure.subplots(1, len(maps), squeeze=False, sharey=True)
    n_epochs = chosen.shape[1]
    for axes, (title, values, colours) in zip(grid.flat, maps, strict=True):
        image = axes.imshow(
            values,
            cmap=colours,
            vmin=0,
            vmax=1,
            aspect="auto",
            interpolation="nearest",
            extent=(0.5, n_epochs + 0.5, len(histories) - 0.5, -0.5),
        )
        axes.set_facecolor("#f2f2f2")  # not measured
        axes.set_title(title, loc="left", fontsize=10)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set_yticks(range(len(histories)), [one.layer for one in histories], fontsize=8)
        axes.tick_params(axis="y", length=0)
        figure.colorbar(image, ax=axes, fraction=0.05, pad=0.02, ticks=[0, 0.5, 1])
    return figure
