"""The charts of a search: what is drawn, read so that it takes as long at a million outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Engine

from db.read.pages import candidates_page
from db.read.reports import search_genomes
from db.read.searches import show_search
from db.read.series import series
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
from vlga.report.search.genes import gene_shifts, heard_genes
from vlga.report.search.summary import (
    Outcome,
    pareto_front,
    rounds,
    trained,
    trained_longest,
)

__all__ = ["CHARTS", "chart", "course_figure"]

#: A larger search is drawn by its newest networks and, against size, by its fittest.
_MOST_NETWORKS, _MOST_GENOMES, _AT_ONCE = 2000, 500, 1000
_ROUNDS, _GENES = 60, 6


def chart(engine: Engine, name: str, what: str) -> Figure:
    """Give a chart of a search, one of `CHARTS`.

    Raises:
        SearchNotFound: no search of that name.
    """
    return CHARTS[what](engine, show_search(engine, name))


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
    members = _newest(engine, shown["name"])
    drawing = fitness_figure(rounds(members, _ROUNDS), **_scale(shown))
    return _with_height(drawing, 340)


def _depth(engine: Engine, shown: Mapping[str, Any]) -> Figure:
    return depth_figure(rounds(_newest(engine, shown["name"]), _ROUNDS))


def _size(engine: Engine, shown: Mapping[str, Any]) -> Figure:
    members = [*_outcomes(engine, shown["name"], "-fitness")]
    winner = shown["best"] and shown["best"]["id"]
    front = pareto_front(members)
    drawing = pareto_figure(members, front, winner, **_scale(shown))
    return _with_height(drawing, 340)


def _genes(engine: Engine, shown: Mapping[str, Any]) -> Figure:
    members = trained_longest(trained(_newest(engine, shown["name"])))[-_MOST_GENOMES:]
    genomes = search_genomes(engine, shown["name"], [one.id for one in members])
    _, height, width = shown["input_shape"]
    genes = {number: heard_genes(one, (height, width)) for number, one in genomes.items()}
    shifts = gene_shifts([one for one in members if one.id in genes], genes)
    if shifts:
        return genes_figure(shifts[:_GENES])
    return {"data": [], "layout": {}, "empty": "No gene differs by more than chance explains."}


#: By name, as addresses have it.
CHARTS: Mapping[str, Callable[[Engine, Mapping[str, Any]], Figure]] = {
    "best": _course,
    "fitness": _fitness,
    "depth": _depth,
    "size": _size,
    "genes": _genes,
}


def _newest(engine: Engine, name: str) -> list[Outcome]:
    """Give the newest networks with an outcome, by number."""
    return sorted(_outcomes(engine, name, "-id"), key=lambda one: one.id)


def _outcomes(engine: Engine, name: str, order: str) -> Iterator[Outcome]:
    cursor = None
    for _ in range(_MOST_NETWORKS // _AT_ONCE):
        page = candidates_page(engine, name, order=order, limit=_AT_ONCE, cursor=cursor)
        for row in page.items:
            if row["epochs"] is not None:
                yield _outcome(row)
        cursor = page.next
        if cursor is None:
            return


def _outcome(row: Mapping[str, Any]) -> Outcome:
    return Outcome(
        **{
            key: row[key]
            for key in (
                "id", "phase", "generation", "rung", "depth", "fingerprint", "fitness", "reason",
                "epochs", "parameters", "macs",
            )
        },
        operator="",
        on_budget=not row["reused"],
    )  # fmt: skip


def _scale(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Give what figures must know of a search's fitness: on how many images it is, and of what."""
    split = "test" if shown["fitness_on"] == "test" else "validation"
    return {
        "n_images": max(1, int(shown["images"][split])),
        "measure": fitness_label(shown["fitness"], shown["fitness_on"]),
    }


def _with_height(drawing: Figure, height: int) -> Figure:
    return {**drawing, "layout": {**drawing["layout"], "height": height}}
