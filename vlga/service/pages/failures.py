"""The page of a search's failed trainings, by reason."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from db.read.outcomes import failures_page
from db.read.searches import show_search
from vlga.errors import ConfigError
from vlga.ports.evaluation import FailureReason
from vlga.service.pages.rendering import Page, address, respond

__all__ = ["router"]

router = APIRouter(route_class=Page, include_in_schema=False)

_AT_ONCE = 50


@router.get("/s/{name}/failures")
def failures(request: Request, name: str) -> Response:
    """Show the failed trainings of a reason, the newest first; without one, of the commonest."""
    engine, query = request.app.state.service.engine, request.query_params
    counts = show_search(engine, name)["failures"]
    reason = _reason(query.get("reason") or max(counts, key=counts.get, default="error"))
    page = failures_page(engine, name, reason, limit=_AT_ONCE, cursor=query.get("cursor"))
    here = f"/s/{name}/failures"
    return respond(
        request,
        "failures",
        name=name,
        counts=counts,
        reason=reason.value,
        rows=page.items,
        next=page.next and address(here, reason=reason.value, cursor=page.next),
    )


def _reason(text: str) -> FailureReason:
    try:
        return FailureReason(text)
    except ValueError:
        known = ", ".join(FailureReason)
        raise ConfigError(f"reason must be one of {known}, but got {text!r}") from None
