"""Figures of one search, from the numbers that summary.py and genes.py compute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vlga.genetics.changes import allele_text
from vlga.report.figures import (
    MARKERS,
    PALE,
    PALETTE,
    Figure,
    Point,
    axis_of,
    counted_axis,
    error_axis,
    error_of,
    figure_of,
    label,
    line,
    points,
    rows_axis,
)
from vlga.report.formats import count_text, number_of
from vlga.report.search.genes import GeneShift
from vlga.report.search.summary import Outcome, Round, drawn

__all__ = [
    "depth_figure",
    "failures_figure",
    "fitness_figure",
    "genes_figure",
    "pareto_figure",
]

_BLUE, _ORANGE, _GREEN = PALETTE[:3]
#: At most so many networks are drawn, at random: more would only cover each other, and take long.
_MOST_POINTS = 2000
#: What an axis of each cost says, and what it shows of a network.
_COSTS: dict[str, tuple[str, Callable[[Outcome], float]]] = {
    "parameters": ("parameters", lambda one: one.parameters),
    "macs": ("multiply-accumulates an image", lambda one: one.macs),
    "latency": ("milliseconds an image", lambda one: one.latency_ms or 0.0),
}


def fitness_figure(rounds: Sequence[Round], *, n_images: int, measure: str) -> Figure:
    """Draw every network's fitness by the generation that made it, their median, and the best.

    Args:
        rounds: in order.
        n_images: number of images that fitness was measured on, at least 1.
        measure: what the fitness is, as `fitness_label` says it.
    """
    smallest = 0.5 / n_images

    def at(one: Round, value: float, text: str, number: int | None = None) -> Point:
        text = f"{text}: {value:.4f}, made in {one.label}"
        return Point(_first(one), error_of(value, smallest), text, number)

    networks = [
        (one, value, number)
        for one in rounds
        for value, number in zip(one.fitness, one.ids, strict=True)
    ]
    medians = [at(one, one.median, "median") for one in rounds if one.median is not None]
    best = [
        at(one, one.best_so_far, "best so far") for one in rounds if one.best_so_far is not None
    ]
    # The worst networks are often far below: show those above the lowest median, and a bit more.
    low = min((one.median for one in rounds if one.median is not None), default=0.0)
    axis = error_axis(measure, [value for _, value, _ in networks if value >= low], smallest)
    n_below = sum(1 - value > 10 ** axis["range"][0] for _, value, _ in networks)
    return figure_of(
        [
            _networks(
                [
                    at(one, value, f"#{number}", number)
                    for one, value, number in drawn(networks, _MOST_POINTS)
                ],
                len(networks),
            ),
            line("median", medians, _ORANGE, MARKERS[1]),
            line("best so far", best, _BLUE, shape="hv"),
        ],
        xaxis=_rounds_axis(rounds),
        yaxis=axis,
        annotations=[_corner(f"{n_below:,} more below")] if n_below else [],
    )


def depth_figure(rounds: Sequence[Round]) -> Figure:
    """Draw the number of convolutions by generation: fewest to most, median, and the fittest's."""
    known = [(one, one.depth) for one in rounds if one.depth is not None]
    medians = [
        Point(
            _first(one),
            median,
            f"{one.label}: median {median:g}, from {low} to {high} convolutions",
        )
        for one, (low, median, high) in known
    ]
    best = [
        Point(_first(one), depth, f"{one.label}: the fittest has {number_of(depth, 'convolution')}")
        for one in rounds
        if (depth := one.depth_of_best) is not None
    ]
    spread = {
        "type": "data",
        "symmetric": False,
        "array": [high - median for _, (_, median, high) in known],
        "arrayminus": [median - low for _, (low, median, _) in known],
        "color": PALE,
        "thickness": 2,
        "width": 4,
    }
    most = max([1, *(high for _, (_, _, high) in known)])
    return figure_of(
        [
            line("median, from fewest to most", medians, _ORANGE, MARKERS[1]) | {"error_y": spread},
            points("the fittest", best, _BLUE, size=9),
        ],
        height=320,
        xaxis=_rounds_axis(rounds),
        yaxis=counted_axis("convolutions", 0, most * 1.1),
    )


def pareto_figure(
    members: Sequence[Outcome],
    front: Sequence[Outcome],
    winner: int | None,
    *,
    objectives: Sequence[str],
    n_images: int,
    measure: str,
) -> Figure:
    """Draw fitness against the first cost, with the Pareto front, a line if that is the only one.

    Args:
        members: each candidate once.
        front: their Pareto front, the least fit first.
        winner: the candidate to mark, or None.
        objectives: fitness, then costs.
        n_images: number of images that fitness was measured on, at least 1.
        measure: as `fitness_figure` takes it.
    """
    smallest = 0.5 / n_images
    title, cost = _COSTS[objectives[1]]

    def at(one: Outcome) -> Point:
        text = (
            f"#{one.id}: {one.fitness:.4f}<br>{count_text(one.parameters)} parameters, "
            f"{count_text(one.macs)} MACs, {number_of(one.depth, 'convolution')}"
        )
        return Point(cost(one), error_of(one.fitness or 0.0, smallest), text, one.id)

    networks = [one for one in members if one.fitness is not None and cost(one) > 0]
    some = [at(one) for one in drawn(networks, _MOST_POINTS)]
    best = [at(one) for one in networks if one.id == winner]
    on_front = [at(one) for one in front]
    data = [
        _networks(some, len(networks)),
        line("Pareto front", on_front, _GREEN, MARKERS[0], shape="hv")
        if len(objectives) == 2
        else points("Pareto front", on_front, _GREEN, size=8),
    ]
    if best:
        data.append(points(f"the winner, #{winner}", best, _BLUE, symbol="star", size=15))
    # The worst quarter is often far below: of it only the Pareto front must be visible.
    ys = sorted(one.fitness or 0.0 for one in networks)
    low = min([*(one.fitness or 0.0 for one in front), *ys[len(ys) // 4 :][:1]], default=0.0)
    return figure_of(
        data,
        xaxis=_cost_axis(title, [cost(one) for one in networks]),
        yaxis=error_axis(measure, [y for y in ys if y >= low], smallest),
    )


def genes_figure(shifts: Sequence[GeneShift]) -> Figure:
    """Draw how often the fittest have each allele and how often all have it, gene by gene.

    Each gene has a row for its name, and below it one for each of its alleles.
    """
    rows: list[str] = []
    names: list[dict[str, Any]] = []
    all_of_them: list[Point] = []
    fittest: list[Point] = []
    for shift in shifts:
        name = {"text": f"<b>{label(shift.gene)}</b>", "x": 0, "y": len(rows)}
        names.append(name | {"xref": "paper", "xanchor": "left", "showarrow": False})
        rows.append("")
        for allele, (before, after) in shift.shares.items():
            text = label(f"{shift.gene}: {allele_text(allele)}")
            text += f"<br>all: {before:.0%}, the fittest: {after:.0%}"
            all_of_them.append(Point(round(before, 4), len(rows), text))
            fittest.append(Point(round(after, 4), len(rows), text))
            rows.append(allele_text(allele))
    joins = [
        {
            "type": "line",
            "x0": before.x,
            "x1": after.x,
            "y0": before.y,
            "y1": after.y,
            "line": {"color": PALE, "width": 2},
            "layer": "below",
        }
        for before, after in zip(all_of_them, fittest, strict=True)
    ]
    hollow = {"symbol": "circle-open", "line": {"width": 2}}
    return figure_of(
        [
            points("all", all_of_them, PALE, size=10, **hollow),
            points("the fittest quarter", fittest, _BLUE, size=10),
        ],
        height=110 + 23 * max(1, len(rows)),
        xaxis=axis_of(
            "share of the networks",
            range=[-0.03, 1.03],
            tickformat=".0%",
            tickvals=[0, 0.25, 0.5, 0.75, 1],
        ),
        yaxis=rows_axis(rows),
        annotations=names,
        shapes=joins,
    )


def failures_figure(reasons: Mapping[str, int]) -> Figure:
    """Draw how many trainings failed for which reason."""
    names = [reason.replace("_", " ") for reason in reasons]
    counts = list(reasons.values())
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": counts,
        "y": [*range(len(names))],
        "width": 0.6,
        "marker": {"color": _ORANGE},
        "text": [f"{n:,}" for n in counts],
        "textposition": "outside",
        "cliponaxis": False,
        "hoverinfo": "text",
        "hovertext": [
            f"{name}: {number_of(n, 'training')}" for name, n in zip(names, counts, strict=True)
        ],
    }
    return figure_of(
        [bars],
        height=90 + 34 * max(1, len(names)),
        xaxis=counted_axis("trainings that failed", 0, max(counts, default=1) * 1.1),
        yaxis=rows_axis(names),
    )


def _networks(some: Sequence[Point], number: int) -> dict[str, Any]:
    """Draw a dot for each of these networks, of a greater number."""
    name = "a network" if len(some) == number else f"{len(some):,} of {number:,} networks"
    return points(name, some, PALE, size=6, opacity=0.6)


def _first(one: Round) -> str:
    """Give a round's first generation."""
    return one.label.split(" ")[0]


def _rounds_axis(rounds: Sequence[Round]) -> dict[str, Any]:
    return axis_of(
        "made in phase.generation",
        type="category",
        categoryorder="array",
        categoryarray=[_first(one) for one in rounds],
        range=[-0.5, max(len(rounds), 1) - 0.5],
    )


def _cost_axis(title: str, costs: Sequence[float]) -> dict[str, Any]:
    """Give a logarithmic axis of a cost, with 2 and 5 between the powers of ten if few are."""
    is_wide = max(costs, default=1) > 30 * min(costs, default=1)
    ticks = {"dtick": 1 if is_wide else "D2", "exponentformat": "SI", "minexponent": 2}
    return axis_of(f"{title} (logarithmic)", type="log", **ticks)


def _corner(text: str) -> dict[str, Any]:
    """Write something into the lower right corner."""
    corner = {"x": 1, "y": 0, "xanchor": "right", "yanchor": "bottom"}
    return {"text": text, "xref": "paper", "yref": "paper", "showarrow": False, **corner}
