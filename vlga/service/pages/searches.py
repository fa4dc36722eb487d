"""The page of all searches, and what is done to several of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from db.read.overview import searches_page
from vlga.config.strategies import STUDIES, StrategyName
from vlga.errors import ConfigError, VlgaError
from vlga.ports.state import State, queue_places
from vlga.service import control
from vlga.service.pages.rendering import Form, Page, address, read_form, respond
from vlga.service.pages.words import STATES

__all__ = ["LIKELY_STRATEGIES", "act_on", "router"]

router = APIRouter(route_class=Page, include_in_schema=False)

#: What a person may start without more settings.
LIKELY_STRATEGIES = tuple(one for one in get_args(StrategyName) if one not in STUDIES)
_AT_ONCE = 50


@router.get("/")
def searches(request: Request) -> Response:
    """Show searches, the newest first."""
    return _page(request)


@router.post("/do/{action}")
def do(request: Request, action: str, form: Annotated[Form, Depends(read_form)]) -> Response:
    """Do something to each of the chosen searches; what is refused is said, the rest is done."""
    problems = []
    names = form.get("search", [])
    if not names:
        problems.append("choose at least one search")
    for name in names:
        try:
            act_on(request, name, action)
        except VlgaError as error:
            problems.append(str(error))
    if problems:
        return _page(request, problem="; ".join(problems), status=409)
    return RedirectResponse("/", 303)


def act_on(
    request: Request, name: str, action: str, settings: Mapping[str, Any] | None = None
) -> None:
    """Pause, stop, resume or delete a search.

    Raises:
        ConfigError: nothing else can be done.
        StoreError: as `vlga.service.control` has it.
    """
    service, who = request.app.state.service, request.state.token.name
    if action == "resume":
        control.resume(service, name, who, settings=settings or {})
    elif action in ("pause", "stop", "delete"):
        getattr(control, action)(service, name, who)
    else:
        raise ConfigError(
            f"a search can be paused, stopped, resumed or deleted, but got {action!r}"
        )


def _page(request: Request, *, problem: str = "", status: int = 200) -> Response:
    service = request.app.state.service
    given = {key: request.query_params.get(key) or None for key in ("q", "state", "cursor")}

    def rows() -> dict[str, Any]:
        page = searches_page(
            service.engine,
            limit=_AT_ONCE,
            cursor=given["cursor"],
            state=given["state"],
            text=given["q"],
        )
        onward = page.next and address("/", q=given["q"], state=given["state"], cursor=page.next)
        is_waiting = any(row["state"] == State.QUEUED for row in page.items)
        places = queue_places(service.queue.unsettled()) if is_waiting else {}
        return {"rows": page.items, "next": onward, "places": places}

    return respond(
        request,
        "searches",
        parts={"list": rows},
        status=status,
        problem=problem,
        states=[*STATES],
        strategy="ladder",
        strategies=LIKELY_STRATEGIES,
    )
