"""A search's candidates: the list, one of them, and where it comes from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response

from db.read.lineage import ancestors
from db.read.pages import OUTCOMES, candidates_page
from db.read.searches import show_search
from vlga.errors import NoIndividual
from vlga.service.api.rest import (
    CandidateId,
    Cursor,
    Items,
    Limit,
    Name,
    RowId,
    Using,
    as_page,
    resource,
)
from vlga.service.context import Service
from vlga.service.views import network_view

__all__ = ["router"]

router = resource(404, 409)

Place = Annotated[int | None, Query(ge=0, lt=2**31, description="from 0")]


@router.get("/searches/{name}/candidates")
def list_candidates(
    *,
    request: Request,
    response: Response,
    service: Using,
    name: Name,
    order: Literal["-fitness", "id", "-id"] = "-fitness",
    limit: Limit = 50,
    cursor: Cursor = None,
    from_id: RowId | None = None,
    phase: Place = None,
    generation: Place = None,
    outcome: Annotated[
        str | None, Query(max_length=20, description=f"one of {', '.join(OUTCOMES)}")
    ] = None,
) -> Items:
    """Give candidates with their outcomes; by fitness, those without one are left out.

    A page of few matches may have less than `limit`, and a `next`.
    """
    page = candidates_page(
        service.engine,
        name,
        order=order,
        limit=limit,
        cursor=cursor,
        from_id=from_id,
        phase=phase,
        generation=generation,
        outcome=outcome,
    )
    return as_page(request, response, page)


@router.get("/searches/{name}/candidates/{candidate_id}")
def show(service: Using, name: Name, candidate_id: CandidateId) -> dict[str, Any]:
    """Give a candidate: genome, layers, every training with its curve, and links to its files."""
    return _view(service, name, candidate_id)


@router.get("/searches/{name}/candidates/{candidate_id}/lineage")
def lineage(
    service: Using,
    name: Name,
    candidate_id: CandidateId,
    depth: Annotated[int, Query(ge=0, le=1000, description="generations back")] = 10,
    limit: Limit = 100,
) -> Items:
    """Give a candidate and its ancestors, the nearest first."""
    rows = ancestors(service.engine, name, min(candidate_id, 2**31 - 1), depth=depth)
    return Items(items=rows[:limit], next=None)


@router.get("/searches/{name}/winner")
def winner(service: Using, name: Name) -> dict[str, Any]:
    """Give the best candidate so far, which is the winner once the search is completed."""
    best = show_search(service.engine, name)["best"]
    if best is None:
        raise NoIndividual(f"a winner needs a trained network, but {name!r} has none yet")
    return _view(service, name, best["id"])


def _view(service: Service, name: str, candidate_id: int) -> dict[str, Any]:
    found = network_view(service.engine, name, candidate_id)
    # Links instead of the server's paths.
    files = [
        {
            **{key: one[key] for key in ("kind", "sha256", "n_bytes", "created_at")},
            "href": f"/api/v1/searches/{name}/files/{candidate_id}/{one['kind']}",
        }
        for one in found.pop("artifacts")
    ]
    return {**found, "files": files}
