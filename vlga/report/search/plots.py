"""Figures of one search, from the numbers that summary.py computes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, PercentFormatter

from vlga.genetics.changes import allele_text
from vlga.report.plots import GREY, MARKERS, PALETTE, scale_by_error, tidy
from vlga.report.search.genes import GeneShift
from vlga.report.search.summary import Outcome, Round

__all__ = [
    "curves_figure",
    "depth_figure",
    "failures_figure",
    "fitness_figure",
    "genes_figure",
    "pareto_figure",
]

_BLUE, _ORANGE, _GREEN = PALETTE[:3]
_PALE = "#bbbbbb"
_ACCURACY = "validation accuracy\n(drawn by the logarithm of the error)"
#: More points than this are drawn as pixels: as shapes they would make the page megabytes large.
_MANY = 3000


def fitness_figure(rounds: Sequence[Round], *, n_images: int) -> Figure:
    """Draw every network's fitness by the generation that made it, their median, and the best.

    Args:
        rounds: in order.
        n_images: number of images that fitness was measured on, at least 1.
    """
    figure, axes = _axes()
    points = [(x, value) for x, one in enumerate(rounds) for value in one.fitness]
    axes.scatter(
        [x for x, _ in points],
        [y for _, y in points],
        s=16,
        color=_PALE,
        linewidth=0,
        label="a network",
        rasterized=len(points) > _MANY,
    )
    medians = [(x, one.median) for x, one in enumerate(rounds) if one.median is not None]
    axes.plot(*_columns(medians), f"-{MARKERS[1]}", color=_ORANGE, ms=5, label="median")
    best = [(x, one.best_so_far) for x, one in enumerate(rounds) if one.best_so_far is not None]
    axes.step(*_columns(best), where="post", color=_BLUE, linewidth=2, label="best so far")
    # The worst networks are often far below: show those above the lowest median, and a bit more.
    low = min((median for _, median in medians), default=0.0)
    scale_by_error(axes, [value for _, value in points if value >= low], 0.5 / n_images)
    _mark_rounds(axes, rounds)
    axes.set_ylabel(_ACCURACY)
    n_below = sum(value < axes.get_ylim()[0] for _, value in points)
    if n_below:
        axes.set_title(f"{n_below} more below", loc="right", fontsize=9, color=GREY)
    _legend(axes)
    return figure


def depth_figure(rounds: Sequence[Round]) -> Figure:
    """Draw the number of convolutions by generation: fewest to most, median, and the fittest's."""
    figure, axes = _axes(height=3.4)
    known = [(x, one.depth) for x, one in enumerate(rounds) if one.depth is not None]
    xs = [x for x, _ in known]
    axes.vlines(
        xs,
        [depth[0] for _, depth in known],
        [depth[2] for _, depth in known],
        color=_PALE,
        linewidth=7,
        label="fewest to most",
    )
    axes.plot(xs, [depth[1] for _, depth in known], "-s", color=_ORANGE, ms=5, label="median")
    best = [(x, one.depth_of_best) for x, one in enumerate(rounds) if one.depth_of_best is not None]
    axes.plot(*_columns(best), "o", color=_BLUE, markersize=7, label="the fittest")
    axes.set_ylim(0, max([1, *(depth[2] for _, depth in known)]) * 1.1)
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_ylabel("convolutions")
    _mark_rounds(axes, rounds)
    _legend(axes)
    return figure


def genes_figure(shifts: Sequence[GeneShift]) -> Figure:
    """Draw how often the fittest have each allele and how often all have it, gene by gene."""
    columns = min(3, max(1, len(shifts)))
    lines = math.ceil(len(shifts) / columns) or 1
    longest = [
        max((len(one.shares) for one in shifts[start : start + columns]), default=1)
        for start in range(0, lines * columns, columns)
    ]
    figure = Figure(figsize=(8, 0.5 + sum(0.75 + 0.32 * n for n in longest)), layout="constrained")
    grid = figure.subplots(
        lines, columns, squeeze=False, sharex=True, height_ratios=[n + 0.5 for n in longest]
    )
    for axes in grid.flat[len(shifts) :]:
        axes.set_visible(False)
    for axes, one in zip(grid.flat, shifts, strict=False):
        ys = range(len(one.shares))
        before = [share for share, _ in one.shares.values()]
        after = [share for _, share in one.shares.values()]
        axes.barh([y - 0.19 for y in ys], after, 0.36, color=_BLUE, label="the fittest quarter")
        axes.barh([y + 0.19 for y in ys], before, 0.36, color=_PALE, label="all")
        axes.set_yticks(ys, [allele_text(allele) for allele in one.shares])
        axes.set_ylim(len(one.shares) - 0.4, -0.6)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set_xlim(0, 1)
        axes.set_xticks([0, 0.5, 1])
        axes.set_title(one.gene, loc="left", fontsize=10)
        tidy(axes, "x")
    if shifts:
        handles, labels = grid.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=2, frameon=False)
    return figure


def failures_figure(reasons: Mapping[str, int]) -> Figure:
    """Draw how many trainings failed for which reason."""
    figure, axes = _axes(height=0.9 + 0.4 * max(1, len(reasons)))
    names = [reason.replace("_", " ") for reason in reasons]
    bars = axes.barh(range(len(reasons)), list(reasons.values()), 0.6, color=_ORANGE)
    axes.bar_label(bars, padding=4)
    axes.set_yticks(range(len(reasons)), names)
    axes.set_ylim(max(1, len(reasons)) - 0.4, -0.6)
    axes.set_xlim(0, max(reasons.values(), default=1) * 1.1)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_xlabel("trainings that failed")
    tidy(axes, "x")
    return figure


def curves_figure(curves: Mapping[int, Sequence[tuple[int, float]]], *, n_images: int) -> Figure:
    """Draw learning curves: validation accuracy after each epoch.

    Args:
        curves: points of (epochs trained, accuracy) by candidate, the fittest first.
        n_images: number of validation images, at least 1.
    """
    figure, axes = _axes()
    for i, (number, points) in enumerate(curves.items()):
        style = f"-{MARKERS[i % len(MARKERS)]}" if len(points) <= 30 else "-"
        axes.plot(
            *_columns(points), style, color=PALETTE[i % len(PALETTE)], ms=5, label=f"#{number}"
        )
    accuracies = [accuracy for points in curves.values() for _, accuracy in points]
    scale_by_error(axes, accuracies, 0.5 / n_images)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.set_xlabel("epochs trained")
    axes.set_ylabel(_ACCURACY)
    tidy(axes)
    if curves:
        _legend(axes)
    return figure


def pareto_figure(
    members: Sequence[Outcome], front: Sequence[Outcome], winner: int | None, *, n_images: int
) -> Figure:
    """Draw accuracy against parameters, with the Pareto front.

    Args:
        members: each candidate once.
        front: their Pareto front, the smallest first.
        winner: the candidate to mark, or None.
        n_images: number of images that fitness was measured on, at least 1.
    """
    figure, axes = _axes()
    points = {one.id: (one.parameters, one.fitness) for one in members if one.fitness is not None}
    xs, ys = _columns([*points.values()])
    axes.scatter(
        xs, ys, s=18, color=_PALE, linewidth=0, label="a network", rasterized=len(points) > _MANY
    )
    best = [points[one.id] for one in front]
    label = "Pareto front"
    axes.plot(*_columns(best), "-o", drawstyle="steps-post", color=_GREEN, ms=5, label=label)
    if winner in points:
        axes.plot(*points[winner], "*", color=_BLUE, ms=15, label=f"the winner, #{winner}")
    axes.set_xscale("log")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    # The worst quarter is often far below: of it only the Pareto front must be visible.
    low = min([*(y for _, y in best), *sorted(ys)[len(ys) // 4 :][:1]], default=0.0)
    scale_by_error(axes, [y for y in ys if y >= low], 0.5 / n_images)
    axes.set_xlabel("parameters (logarithmic)")
    axes.set_ylabel(_ACCURACY)
    tidy(axes, "both")
    _legend(axes)
    return figure


def _axes(height: float = 4.6) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(8, height), layout="constrained")
    return figure, figure.add_subplot()


def _columns(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]


def _mark_rounds(axes: Axes, rounds: Sequence[Round]) -> None:
    """Label the x-axis with generations, as many as there is room for."""
    step = max(1, math.ceil(len(rounds) / 13))
    labels = [one.label.split(" ")[0] for one in rounds]
    axes.set_xticks(range(0, len(rounds), step), labels[::step])
    axes.set_xlim(-0.5, max(len(rounds), 1) - 0.5)
    axes.set_xlabel("made in phase.generation")
    tidy(axes)


def _legend(axes: Axes) -> None:
    axes.legend(loc="lower right", frameon=True, framealpha=0.9, edgecolor="none")
