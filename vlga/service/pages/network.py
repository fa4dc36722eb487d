"""The page of a network: where it comes from, its layers, how it learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from db.read.lineage import ancestors
from db.read.searches import show_search
from vlga.config.strategies import KNOWN_NETWORKS
from vlga.errors import NoIndividual
from vlga.genetics.changes import changes_text
from vlga.genetics.genome import Genome
from vlga.report.figures import Figure
from vlga.report.formats import as_json
from vlga.report.search.curves import training_figure
from vlga.service.pages.figures import table_page
from vlga.service.pages.lineage import Family, draw_family
from vlga.service.pages.rendering import Page, respond, respond_json
from vlga.service.views import network_view

__all__ = ["router"]

router = APIRouter(route_class=Page, include_in_schema=False)

_CURVE = "Accuracy after each epoch of its longest training; grey where gradients were amplified."
#: Generations that the family goes back.
_GENERATIONS = 8


@router.get("/s/{name}/{number}")
def network(request: Request, name: str, number: str) -> Response:
    """Show a network."""
    engine = request.app.state.service.engine
    one = network_view(engine, name, _number(name, number))
    search = show_search(engine, name)
    family = None if search["strategy"] in KNOWN_NETWORKS else _family(engine, name, one["id"])
    return respond(
        request,
        "network",
        name=name,
        one=one,
        scored=_score(one),
        trainings=one["evaluations"],
        has_curve=bool(_longest(one)["curve"]) if one["evaluations"] else False,
        layers=one["layers"],
        caption=_CURVE,
        family=family,
        files=one["artifacts"],
        genome=as_json(one["genome"]),
    )


@router.get("/s/{name}/{number}/curve")
def curve(request: Request, name: str, number: str) -> Response:
    """Give the chart of a network's longest training."""
    return respond_json(_curve(request, name, number))


@router.get("/s/{name}/{number}/curve/table")
def curve_table(request: Request, name: str, number: str) -> Response:
    """Show what that chart shows in words."""
    drawing = _curve(request, name, number)
    back = f"/s/{quote(name, safe='')}/{number}"
    return table_page(request, drawing, title=f"How #{number} learned", about=_CURVE, back=back)


def _curve(request: Request, name: str, number: str) -> Figure:
    engine = request.app.state.service.engine
    one = network_view(engine, name, _number(name, number))
    n_images = max(1, show_search(engine, name)["images"]["validation"])
    points = _longest(one)["curve"] if one["evaluations"] else []
    return training_figure(points, n_images=n_images)


def _number(name: str, text: str) -> int:
    if not text.isdecimal() or len(text) > 10:
        raise NoIndividual(f"a network of {name!r} has a number, but got {text!r}")
    return int(text)


def _longest(one: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the training with most epochs that it is known how they went."""
    trainings: list[Mapping[str, Any]] = one["evaluations"]
    return max(trainings, key=lambda run: len(run["curve"]))


def _score(one: Mapping[str, Any]) -> str:
    scores = [
        run["fitness"]
        for run in one["evaluations"]
        if run["fitness"] is not None and not run["is_final"]
    ]
    return f"fitness {max(scores):.4f}" if scores else ""


def _family(engine: Any, name: str, number: int) -> Family:
    rows = ancestors(engine, name, number, depth=_GENERATIONS)
    genomes = {one["id"]: Genome.from_dict(one["genome"]) for one in rows}

    def changes(one: Mapping[str, Any]) -> str:
        first = one["parents"][0] if one["parents"] else None
        return changes_text(genomes[one["id"]], genomes[first]) if first in genomes else ""

    return draw_family([{**one, "changes": changes(one)} for one in rows])
