"""The page of what a search's answer gets wrong on the test images."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from db.read.mistakes import winner_mistakes
from db.read.searches import show_search
from vlga.report.committee import members_text
from vlga.report.mistakes import class_rows, mistakes_line, more_classes, picture_address
from vlga.service.pages.rendering import Page, respond

__all__ = ["router"]

router = APIRouter(route_class=Page, include_in_schema=False)


@router.get("/s/{name}/mistakes")
def mistakes(request: Request, name: str) -> Response:
    """Show the least accurate classes, and the mistakes that the answer was surest of."""
    engine = request.app.state.service.engine
    found = winner_mistakes(engine, name)
    shown = show_search(engine, name)
    return respond(
        request,
        "mistakes",
        name=name,
        winner=shown["best"]["id"],
        members=shown["committee"] and members_text(shown["committee"]),
        line=mistakes_line(found),
        classes=class_rows(found),
        more=more_classes(found),
        worst=[(picture_address(one), one) for one in found.worst],
    )
