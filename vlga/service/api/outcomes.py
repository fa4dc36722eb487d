"""What comes of a search: the feed of outcomes, charts, failures, what runs now, and its log."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse

from db.read.mistakes import winner_mistakes
from db.read.outcomes import evaluations_page, newest_failures
from db.read.searches import show_search
from db.read.series import series
from vlga.report.mistakes import mistakes_tree
from vlga.service.api.rest import Items, Limit, Name, RowId, Using, as_page, resource
from vlga.service.context import Service
from vlga.service.networks import compared_genes
from vlga.service.views import search_view

__all__ = ["router"]

router = resource(404, 409)

_LOG_BYTES = 2**18


@router.get("/searches/{name}/evaluations")
def evaluations(
    *,
    request: Request,
    response: Response,
    service: Using,
    name: Name,
    after: RowId = 0,
    limit: Limit = 50,
) -> Items:
    """Give outcomes in the order of recording, after one that is known: a feed to follow."""
    page = evaluations_page(service.engine, name, after=after, limit=limit)
    return as_page(request, response, page, after=page.next)


@router.get("/searches/{name}/series")
def course(
    service: Using, name: Name, points: Annotated[int, Query(ge=1, le=2000)] = 2000
) -> dict[str, list[Any]]:
    """Give the course of a search as columns for a chart."""
    return series(service.engine, name, points=points)


@router.get("/searches/{name}/failures")
def failures(
    service: Using, name: Name, limit: Annotated[int, Query(ge=1, le=100)] = 3
) -> dict[str, Any]:
    """Give failed trainings: how many of each reason, and the newest of each."""
    counts = show_search(service.engine, name)["failures"]
    newest = newest_failures(service.engine, name, limit_each=limit)
    return {
        reason: {"n": counts.get(reason, len(rows)), "newest": rows}
        for reason, rows in newest.items()
    }


@router.get("/searches/{name}/mistakes")
def mistakes(service: Using, name: Name) -> dict[str, Any]:
    """Give what the winner got wrong on the test images: confusion matrix, calibration, the worst.

    Row i of `confusion` says for how many images of class i each class was taken.
    """
    return mistakes_tree(winner_mistakes(service.engine, name))


@router.get("/searches/{name}/genes")
def genes(service: Using, name: Name) -> dict[str, Any]:
    """Give alleles that the fittest quarter of the newest networks has more often than all.

    `networks` were compared; `moved` is how far the shares of a gene's alleles differ, and
    `by_chance` how far they would if the gene had no influence.
    """
    compared = compared_genes(service.engine, show_search(service.engine, name))
    return {
        "networks": compared.n_networks,
        "items": [
            {
                "gene": one.gene,
                "moved": one.moved,
                "by_chance": one.by_chance,
                "alleles": [
                    {"allele": allele, "of_all": of_all, "of_fittest": of_fittest}
                    for allele, (of_all, of_fittest) in one.shares.items()
                ],
            }
            for one in compared.shifts
        ],
    }


@router.get("/searches/{name}/running")
def running(service: Using, name: Name) -> dict[str, Any]:
    """Give what a search does now, as its process said last, or null."""
    view = search_view(service.engine, service.queue, name)
    return {"state": view["state"], "progress": view["progress"]}


@router.get("/searches/{name}/log")
def log(
    service: Using, name: Name, lines: Annotated[int, Query(ge=1, le=1000)] = 100
) -> dict[str, list[str]]:
    """Give the last lines that the search's processes wrote."""
    service.queue.find(name)
    return {"lines": _tail(service.logs / f"{name}.log", lines)}


@router.get("/searches/{name}/export", response_class=StreamingResponse)
def export(
    service: Using, name: Name, form: Annotated[Literal["csv", "ndjson"], Query(alias="format")]
) -> StreamingResponse:
    """Give every outcome of a search, in the order of recording, as CSV or lines of JSON."""
    show_search(service.engine, name)
    kind = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}[form]
    parts = _csv(service, name) if form == "csv" else _lines(service, name)
    file_name = f"{name}.{form}".encode("ascii", "replace").decode().replace("?", "_")
    headers = {"Content-Disposition": f'attachment; filename="{file_name}"'}
    return StreamingResponse(parts, media_type=kind, headers=headers)


def _pages(service: Service, name: str) -> Iterator[list[dict[str, Any]]]:
    after: str | None = "0"
    while after is not None:
        page = evaluations_page(service.engine, name, after=int(after), limit=1000)
        yield page.items
        after = page.next


def _lines(service: Service, name: str) -> Iterator[str]:
    for rows in _pages(service, name):
        yield "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _csv(service: Service, name: str) -> Iterator[str]:
    columns: list[str] = []
    for rows in _pages(service, name):
        text = io.StringIO()
        writer = csv.DictWriter(text, columns or [*(rows[0] if rows else ["id"])])
        if not columns:
            columns = [*writer.fieldnames]
            writer.writeheader()
        writer.writerows(rows)
        yield text.getvalue()


def _tail(path: Path, n_lines: int) -> list[str]:
    """Give the last lines of a file, none if it is not there."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, io.SEEK_END)
            file.seek(max(0, end - _LOG_BYTES))
            found = file.read().decode(errors="replace").splitlines()
    except OSError:
        return []
    return (found[1:] if end > _LOG_BYTES else found)[-n_lines:]
