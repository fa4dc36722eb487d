"""The page that sets searches beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from db.read.comparison import compared
from db.read.series import series
from vlga.config.example import toml_value
from vlga.errors import ConfigError
from vlga.ports.data import fitness_label
from vlga.report.best_so_far import Steps, band, best_so_far
from vlga.report.committee import tested_of
from vlga.report.comparison.summary import difference
from vlga.report.figures import Figure, best_so_far_figure
from vlga.service.pages.figures import table_page
from vlga.service.pages.rendering import Page, address, respond, respond_json
from vlga.service.views import search_view

__all__ = ["router"]

router = APIRouter(route_class=Page, include_in_schema=False)

_MOST_SEARCHES = 20
#: Up to so many trainings in all, each counts with its epochs; above, they are counted by number.
_MOST_READ = 10_000
_CAPTION = (
    "Against the {unit} so far; searches of one strategy are one line, their mean, in a band from "
    "the worst to the best."
)

Names = Annotated[list[str], Query(alias="search", default_factory=list)]


@router.get("/compare")
def compare(request: Request, names: Names) -> Response:
    """Show searches beside each other."""
    rows = [one for one in _views(request, names) if one["status"] is not None]
    return respond(
        request,
        "compare",
        rows=rows,
        notes=[*_notes(rows)],
        differs=len({row["data_fingerprint"] for row in rows}) > 1,
        differing=_differing([row["config"] for row in rows]),
        figure=address("/compare/figure", search=[row["name"] for row in rows]),
        table=address("/compare/table", search=[row["name"] for row in rows]),
        caption=_caption(rows),
    )


@router.get("/compare/figure")
def figure(request: Request, names: Names) -> Response:
    """Give the chart of the best so far of searches."""
    rows = [one for one in _views(request, names) if one["status"] is not None]
    return respond_json(_figure(request.app.state.service.engine, rows))


@router.get("/compare/table")
def table(request: Request, names: Names) -> Response:
    """Show what that chart shows in words."""
    rows = [one for one in _views(request, names) if one["status"] is not None]
    drawing = _figure(request.app.state.service.engine, rows)
    back = address("/compare", search=[row["name"] for row in rows])
    return table_page(request, drawing, title="Best so far", about=_caption(rows), back=back)


def _caption(rows: Sequence[Mapping[str, Any]]) -> str:
    return _CAPTION.format(unit="epochs trained" if _is_small(rows) else "number of trainings")


def _views(request: Request, names: Sequence[str]) -> list[dict[str, Any]]:
    if len(names) > _MOST_SEARCHES:
        raise ConfigError(
            f"at most {_MOST_SEARCHES} searches can be compared, but got {len(names)}; choose less"
        )
    service = request.app.state.service
    return [search_view(service.engine, service.queue, name) for name in dict.fromkeys(names)]


def _is_small(rows: Sequence[Mapping[str, Any]]) -> bool:
    return sum(sum(row["evaluations"].values()) for row in rows) <= _MOST_READ


def _figure(engine: Any, rows: Sequence[Mapping[str, Any]]) -> Figure:
    steps: dict[str, Steps]
    if _is_small(rows):
        found = compared(engine, [row["name"] for row in rows])
        steps = {
            one["name"]: best_so_far([(epochs, fitness) for epochs, fitness, _ in one["trainings"]])
            for one in found
        }
    else:
        steps = {row["name"]: _course(engine, row["name"]) for row in rows}
    strategies = [row["strategy"] for row in rows]
    groups: dict[str, list[Steps]] = {}
    for row in rows:
        alone = len(set(strategies)) == 1  # then there is nothing else to tell apart
        groups.setdefault(row["name"] if alone else row["strategy"], []).append(steps[row["name"]])
    bands = {name: one for name, some in groups.items() if (one := band(some)) is not None}
    n_images = min((row["images"]["validation"] for row in rows), default=1)
    measures = {fitness_label(row["fitness"], row["fitness_on"]) for row in rows}
    measure = measures.pop() if len(measures) == 1 else "fitness"
    drawing = best_so_far_figure(bands, n_images=max(1, n_images), measure=measure)
    if not _is_small(rows):
        drawing["layout"]["xaxis"]["title"]["text"] = "trainings"
    return drawing


def _course(engine: Any, name: str) -> Steps:
    columns = series(engine, name, points=500)
    return [
        (x, best) for x, best in zip(columns["x"], columns["best"], strict=True) if best is not None
    ]


def _notes(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say what the table alone does not."""
    if len({row["data_fingerprint"] for row in rows}) > 1:
        yield "These searches have different images: their accuracies cannot be compared."
        return
    if len({row["fitness"] for row in rows}) > 1:
        yield "These searches have different kinds of fitness, which cannot be compared."
    outcomes = [
        {
            "strategy": row["strategy"],
            "seed": row["seed"],
            "status": row["status"],
            "test_accuracy": tested_of(row)["test_accuracy"],
        }
        for row in rows
    ]
    found = difference(outcomes)
    if found is not None:
        text = str(found)
        yield f"{text[0].upper()}{text[1:]}."


def _differing(configs: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """Give the settings that not all have alike, by dotted key, with each one's as text."""
    flat = [dict(_flat(config)) for config in configs]
    keys = dict.fromkeys(key for one in flat for key in one)
    rows = ((key, [_text(one.get(key)) for one in flat]) for key in keys)
    return [(key, values) for key, values in rows if any(one != values[0] for one in values)]


def _text(value: Any) -> str:
    if isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        return f"{len(value)} of them"
    return "" if value is None else value if isinstance(value, str) else toml_value(value)


def _flat(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{key}.")
        elif path or key != "auto":
            yield f"{path}{key}", value
