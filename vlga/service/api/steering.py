"""What is wanted of a search: to pause, stop, go on, change or be deleted."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from vlga.service import control
from vlga.service.api.rest import Name, Settings, Using, Who, resource
from vlga.service.views import search_view

__all__ = ["router"]

router = resource(403, 404, 409)


class Resumed(BaseModel):
    """How a search goes on."""

    model_config = ConfigDict(extra="forbid")

    settings: Settings = {}


class Changed(Resumed):
    """What changes of a search."""

    priority: Annotated[int, Field(ge=-1000, le=1000)] | None = None


@router.patch("/searches/{name}")
def change(service: Using, who: Who, name: Name, changed: Changed) -> dict[str, Any]:
    """Change the priority of a search, or settings for when it starts or is resumed."""
    control.change(service, name, who, priority=changed.priority, settings=changed.settings)
    return search_view(service.engine, service.queue, name)


@router.delete("/searches/{name}", status_code=202)
def delete(
    service: Using,
    who: Who,
    name: Name,
    stop: Annotated[bool, Query(description="end it before, if it runs")] = False,
) -> dict[str, Any]:
    """Delete a search with its rows and files, as soon as no process holds it."""
    control.delete(service, name, who, ends_it=stop)
    return {"name": name, "wanted": "delete"}


@router.post("/searches/{name}/pause", status_code=202)
def pause(service: Using, who: Who, name: Name) -> dict[str, Any]:
    """End a search after its running trainings; it can be resumed. Twice is the same as once."""
    control.pause(service, name, who)
    return search_view(service.engine, service.queue, name)


@router.post("/searches/{name}/stop", status_code=202)
def stop(service: Using, who: Who, name: Name) -> dict[str, Any]:
    """End a search at once, its running trainings given up; it can be resumed."""
    control.stop(service, name, who)
    return search_view(service.engine, service.queue, name)


@router.post("/searches/{name}/resume", status_code=202)
def resume(service: Using, who: Who, name: Name, how: Resumed | None = None) -> dict[str, Any]:
    """Go on with a search, with some settings changed, such as a larger budget."""
    control.resume(service, name, who, settings=how.settings if how else None)
    return search_view(service.engine, service.queue, name)
