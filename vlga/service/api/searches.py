"""Searches: the list, one of them, and submitting another."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from db.read.overview import searches_page
from vlga.errors import SearchExists, SearchNotFound
from vlga.service import control
from vlga.service.api.rest import (
    NAME_PATTERN,
    Cursor,
    Items,
    Limit,
    Name,
    Settings,
    Text,
    Using,
    Who,
    as_page,
    resource,
    responses,
)
from vlga.service.context import Service
from vlga.service.submitted import read_settings
from vlga.service.views import search_view

__all__ = ["router"]

router = resource()

DryRun = Annotated[bool, Query(description="only say what it would be, and cost")]


class Named(BaseModel):
    """What is submitted under the name in the address."""

    model_config = ConfigDict(extra="forbid")

    settings: Settings = {}
    preset: Annotated[str, Field(max_length=100, description="settings to start from")] = "default"
    priority: Annotated[
        int, Field(ge=-1000, le=1000, description="the higher starts first; of equals, the older")
    ] = 0


class New(Named):
    """What is submitted."""

    name: Annotated[
        str | None, Field(max_length=180, pattern=NAME_PATTERN, description="made up if not given")
    ] = None


@router.get("/searches")
def list_searches(
    *,
    request: Request,
    response: Response,
    service: Using,
    limit: Limit = 50,
    cursor: Cursor = None,
    state: Text = None,
    strategy: Text = None,
    data: Text = None,
    q: Text = None,
) -> Items:
    """Give searches: those that wait to be entered, then the others, the newest first."""
    page = searches_page(
        service.engine,
        limit=limit,
        cursor=cursor,
        state=state,
        strategy=strategy,
        data=data,
        text=q,
    )
    return as_page(request, response, page)


@router.post("/searches", status_code=201, responses={**responses(403, 409, 429), 200: {}})
async def submit(
    *,
    response: Response,
    service: Using,
    who: Who,
    new: New,
    dry_run: DryRun = False,
    idempotency_key: Annotated[
        str | None, Header(max_length=255, pattern=r"^[\x20-\x7e]+$")
    ] = None,
) -> dict[str, Any]:
    """Submit a search; the same `Idempotency-Key` and body submits once."""
    if dry_run:
        response.status_code = 200
        return await run_in_threadpool(control.dry_run, service, new.settings, preset=new.preset)
    body = json.dumps(new.model_dump(), sort_keys=True)
    return await run_in_threadpool(
        _submit, response, service, new.name, new, who, key=idempotency_key, body=body
    )


@router.get("/searches/{name}", responses=responses(404))
def show(service: Using, name: Name) -> dict[str, Any]:
    """Give a search in full: the keys of `vlga show`, its `state`, and what is wanted of it."""
    return search_view(service.engine, service.queue, name)


@router.put("/searches/{name}", status_code=201, responses={**responses(403, 409, 429), 200: {}})
async def put(
    *,
    response: Response,
    service: Using,
    who: Who,
    name: Name,
    new: Named,
    dry_run: DryRun = False,
) -> dict[str, Any]:
    """Submit a search under this name; again with the same settings, nothing more happens."""
    if dry_run:
        response.status_code = 200
        return await run_in_threadpool(control.dry_run, service, new.settings, preset=new.preset)
    return await run_in_threadpool(_put, response, service, name, new, who)


def _put(response: Response, service: Service, name: str, new: Named, who: str) -> dict[str, Any]:
    try:
        there = service.queue.find(name).submission.settings
    except SearchNotFound:
        return _submit(response, service, name, new, who)
    asked = read_settings(service, new.settings, preset=new.preset).model_dump(mode="json")
    if _without_chosen(there, asked) != _without_chosen(asked, asked):
        raise SearchExists(
            f"a search's name must be new, but {name!r} is taken, by one with other settings; "
            "choose another"
        )
    response.status_code = 200
    return search_view(service.engine, service.queue, name)


def _submit(
    response: Response,
    service: Service,
    name: str | None,
    new: Named,
    who: str,
    *,
    key: str | None = None,
    body: str = "",
) -> dict[str, Any]:
    name = control.submit(
        service,
        name,
        new.settings,
        who=who,
        priority=new.priority,
        key=key,
        body=sha256(body.encode()).hexdigest(),
        preset=new.preset,
    )
    response.headers["Location"] = f"/api/v1/searches/{quote(name, safe='')}"
    return search_view(service.engine, service.queue, name)


def _without_chosen(tree: Any, asked: Any) -> dict[str, Any]:
    """Leave out of settings what was ``auto``, which is chosen when a search begins, and workers.

    Args:
        tree: settings as they are stored.
        asked: settings as they were asked for.
    """
    kept = {key: value for key, value in tree.items() if key not in ("auto", "workers")}
    for key in asked["auto"]:
        table, name = key.split(".")
        kept[table] = {other: value for other, value in kept[table].items() if other != name}
    return kept
