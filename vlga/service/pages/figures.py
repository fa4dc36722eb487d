"""The charts of a search as data for the browser, and what any chart shows in words, as a table."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from vlga.errors import ConfigError
from vlga.report.figures import Figure
from vlga.service.pages.charts import CHARTS, chart
from vlga.service.pages.rendering import Page, respond, respond_json

__all__ = ["lines_of", "router", "table_page"]

router = APIRouter(route_class=Page, include_in_schema=False)

#: Of a longer line, so many points are told, evenly spread, the last among them.
_MOST_POINTS = 200


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart in words.

    Attributes:
        name: of it.
        rows: of some of its points what each is and what it has.
        every: 1 if they are of each point, 2 of each second one, and so on.
        n_points: that the line has.
    """

    name: str
    rows: list[tuple[str, str]]
    every: int
    n_points: int


@router.get("/s/{name}/figures/{what}")
def figure(request: Request, name: str, what: str) -> Response:
    """Give a chart as Plotly draws it; one of nothing for a search that is not entered yet."""
    return respond_json(_figure(request, name, what))


@router.get("/s/{name}/figures/{what}/table")
def table(request: Request, name: str, what: str) -> Response:
    """Show what a chart shows in words."""
    drawing, one = _figure(request, name, what), CHARTS[what]
    back = f"/s/{quote(name, safe='')}"
    return table_page(request, drawing, title=one.title, about=one.about, back=back, name=name)


def table_page(
    request: Request, drawing: Figure, *, title: str, about: str, back: str, name: str = ""
) -> Response:
    """Show what a chart shows in words, for who does not see it.

    Args:
        request: to answer.
        drawing: the chart.
        title: of it.
        about: what there is to say of it.
        back: address of the page that it is on.
        name: of the search whose networks its points stand for, if they do.
    """
    return respond(
        request,
        "table",
        title=title,
        about=about,
        back=back,
        name=name,
        lines=[*lines_of(drawing)],
        empty=drawing.get("empty", "Nothing to draw yet."),
    )


def _figure(request: Request, name: str, what: str) -> Figure:
    if what not in CHARTS:
        raise ConfigError(f"a chart must be one of {', '.join(CHARTS)}, but got {what!r}")
    service = request.app.state.service
    if service.queue.find(name).seen.status is None:
        return {"data": [], "layout": {}}
    return chart(service.engine, name, what)


def lines_of(drawing: Figure) -> Iterator[Line]:
    """Give what is said of the points of each line; what two lines say counts once."""
    known: set[str] = set()
    for trace in drawing["data"]:
        texts = [_plain(text) for text in trace.get("hovertext", ()) if text not in known]
        known.update(trace.get("hovertext", ()))
        every = math.ceil(len(texts) / _MOST_POINTS)
        if texts:
            rows = [_row(text) for text in texts[::-every][::-1]]
            yield Line(_plain(trace.get("name", "")), rows, every, len(texts))


def _row(text: str) -> tuple[str, str]:
    """Divide what a point says into what it is and what it has."""
    head, colon, tail = text.partition(": ")
    return (head, tail) if colon else ("", text)


def _plain(text: str) -> str:
    """Give a label as it was before `vlga.report.figures.label` broke it for Plotly."""
    return unescape(text.replace("<br>", ", "))
