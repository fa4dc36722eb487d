"""The charts of a search: what is drawn, read so that it takes as long at a million outcomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from db.read.searches import show_search
from db.read.series import series
from vlga.config.objectives import weighed
from vlga.ports.data import fitness_label
from vlga.report.figures import (
    PALE,
    PALETTE,
    Figure,
    Point,
    counted_axis,
    error_axis,
    error_of,
    figure_of,
    line,
    points,
)
from vlga.report.search.figures import depth_figure, fitness_figure, genes_figure, pareto_figure
from vlga.report.search.summary import pareto_front, rounds
from vlga.service.networks import compared_genes, fittest, newest

__all__ = ["CHARTS", "chart", "course_figure"]

_ROUNDS, _GENES = 60, 6


def chart(engine: Engine, name: str, what: str) -> Figure:
    """Give a chart of a search, one of `CHARTS`.

    Raises:
        SearchNotFound: no search of that name.
    """
    return CHARTS[what].draw(engine, show_search(engine, name))


def course_figure(columns: Mapping[str, Sequence[Any]], *, n_images: int, measure: str) -> Figure:
    """Draw the best fitness so far against the number of trainings, above the spread of all.

    Args:
        columns: as `db.read.series.series` gives them.
        n_images: that fitness was measured on, at least 1.
        measure: what the fitness is, as `fitness_label` says it.
    """
    smallest = 0.5 / n_images
    rows = [*zip(columns["x"], columns["lowest"], columns["highest"], columns["mean"], strict=True)]
    known = [row for row in rows if row[3] is not None]
    is_single = all(low == high for _, low, high, _ in known)
    data: list[dict[str, Any]] = []
    if is_single:
        each = [
            Point(x, error_of(mean, smallest), f"training {x:,}: {mean:.4f}")
            for x, _, _, mean in known
        ]
        data.append(points("each training", each, PALE, size=5, opacity=0.6))
    else:
        low, high, mean = (
            [
                Point(row[0], error_of(row[i], smallest), f"{text}: {row[i]:.4f}, up to {row[0]:,}")
                for row in known
            ]
            for i, text in ((1, "lowest"), (2, "highest"), (3, "mean"))
        )
        band = {"fill": "tonexty", "fillcolor": f"{PALE}40"}
        data += [
            {**line("lowest", low, PALE), "line": {"width": 0}, "showlegend": False},
            {**line("lowest to highest", high, PALE), "line": {"width": 0}, **band},
            line("mean", mean, PALETTE[1]),
        ]
    best = [
        Point(x, error_of(value, smallest), f"best of {x:,}: {value:.4f}")
        for x, value in zip(columns["x"], columns["best"], strict=True)
        if value is not None
    ]
    data.append(line("best so far", best, PALETTE[0], shape="hv"))
    middle = sorted(row[3] for row in known)[len(known) // 4 :]
    seen = [*middle, *(row[2] for row in known if row[2] >= (middle[0] if middle else 0))]
    end = columns["x"][-1] if columns["x"] else 1
    return figure_of(
        data,
        height=320,
        xaxis=counted_axis("trainings", 0, end * 1.02),
        yaxis=error_axis(measure, seen, smallest),
    )


def _course(engine: Engine, shown: Mapping[str, Any]) -> Figure:
    return course_figure(series(engine, shown["name"]), **_scale(shown))


def _fitness(engine: Engine, shown: Mapping[str, Any]) -> Figure:
    members = newest(engine, shown["name"])
    drawing = fitness_figure(rounds(members, _ROUNDS), **_scale(shown))
    return _with_height(drawing, 340)


def _depth(engine: Engine, shown: Mapping[str, Any]) -> Figure:
    return depth_figure(rounds(newest(engine, shown["name"]), _ROUNDS))


def _size(engine: Engine, shown: Mapping[str, Any]) -> Figure:
    members = fittest(engine, shown["name"])
    winner = shown["best"] and shown["best"]["id"]
    objectives = weighed(shown["config"])
    front = pareto_front(sorted(members, key=lambda one: one.id), objectives)
    drawing = pareto_figure(members, front, winner, objectives=objectives, **_scale(shown))
    return _with_height(drawing, 340)


def _genes(engine: Engine, shown: Mapping[str, Any]) -> Figure:
    shifts = compared_genes(engine, shown).shifts
    if shifts:
        return genes_figure(shifts[:_GENES])
    return {"data": [], "layout": {}, "empty": "No gene differs by more than chance explains."}


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of a search.

    Attributes:
        title: of it.
        about: what there is to say of it.
        draw: from what `show_search` gives of a search.
    """

    title: str
    about: str
    draw: Callable[[Engine, Mapping[str, Any]], Figure]


#: By name, as addresses have it.
CHARTS: Mapping[str, Chart] = {
    "best": Chart(
        "Best so far", "The fittest network after each training, and the spread of all.", _course
    ),
    "fitness": Chart(
        "Fitness by generation",
        "Every network by when it was made; of a large search the newest 2,000. A click opens one.",
        _fitness,
    ),
    "size": Chart(
        "Fitness against size",
        "The Pareto front is marked: no other is as fit for its cost. A click opens one.",
        _size,
    ),
    "depth": Chart("Depth by generation", "How many convolutions networks have.", _depth),
    "genes": Chart(
        "What the fittest share",
        "Alleles that the fittest quarter has more often than all, beyond chance.",
        _genes,
    ),
}


def _scale(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Give what figures must know of a search's fitness: on how many images it is, and of what."""
    split = "test" if shown["fitness_on"] == "test" else "validation"
    return {
        "n_images": max(1, int(shown["images"][split])),
        "measure": fitness_label(shown["fitness"], shown["fitness_on"]),
    }


def _with_height(drawing: Figure, height: int) -> Figure:
    return {**drawing, "layout": {**drawing["layout"], "height": height}}
