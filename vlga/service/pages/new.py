"""The page that starts a search: a form, checked while somebody types."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from vlga.config.load import load_config
from vlga.errors import ConfigError, VlgaError, shown
from vlga.service import control
from vlga.service.pages.form import (
    as_command,
    as_curl,
    as_toml,
    filled_in,
    groups,
    prefilled,
    tree_of,
)
from vlga.service.pages.rendering import (
    Form,
    Page,
    can_write,
    error_page,
    field_of,
    read_form,
    respond,
)
from vlga.service.pages.searches import LIKELY_STRATEGIES

__all__ = ["router"]

router = APIRouter(route_class=Page, include_in_schema=False)


@router.get("/new")
def new(request: Request, like: str | None = None) -> Response:
    """Show the form, filled in as another search was."""
    if not can_write(request):
        return error_page(request, 403, "your token may only look; sign in with one that may write")
    service = request.app.state.service
    settings = load_config().model_dump(mode="json")
    if like is not None:
        settings = service.queue.find(like).submission.settings
    return _page(request, {"data.name": "digits", **prefilled(settings)}, like=like)


@router.post("/new")
def start(request: Request, form: Annotated[Form, Depends(read_form)]) -> Response:
    """Start what was filled in, or show what is wrong beside its field."""
    try:
        name = control.submit(
            request.app.state.service,
            _one(form, "name") or None,
            tree_of(filled_in(form)),
            who=request.state.token.name,
            priority=_priority(form),
            key=None,
        )
    except VlgaError as error:
        texts = {key: values[-1] for key, values in form.items()}
        return _page(request, texts, problem=str(error), status=422, like=texts.get("like"))
    return RedirectResponse(f"/s/{quote(name, safe='')}", 303)


@router.post("/new/check")
def check(request: Request, form: Annotated[Form, Depends(read_form)]) -> Response:
    """Say what would be started, or what is wrong."""
    return respond(request, "new/check", checked=_checked(request, form))


def _page(
    request: Request,
    texts: dict[str, str],
    *,
    problem: str = "",
    status: int = 200,
    like: str | None = None,
) -> Response:
    field = field_of(problem) if problem else None
    is_shown = field in texts or any(one.key == field for group in groups() for one in group.fields)
    return respond(
        request,
        "new",
        status=status,
        texts=texts,
        groups=groups(),
        strategies=LIKELY_STRATEGIES,
        like=like,
        problem=problem,
        field="minutes" if field == "budget.seconds" else field if is_shown else None,
        checked=None,
    )


def _checked(request: Request, form: Form) -> dict[str, Any]:
    """Give what `new/check.html` shows."""
    name = _one(form, "name")
    found: dict[str, Any] = {"problem": "", "field": "", "said": [], "copies": {}}
    try:
        settings = filled_in(form)
        host = str(request.base_url).rstrip("/")
        found["copies"] = {
            "TOML": as_toml(settings),
            "Command line": as_command(settings, name),
            "curl": as_curl(settings, name, host),
        }
        found["said"] = control.dry_run(request.app.state.service, tree_of(settings))["said"]
    except VlgaError as error:
        found["problem"] = str(error)
        field = field_of(found["problem"]) or ""
        found["field"] = "minutes" if field == "budget.seconds" else field
    return found


def _one(form: Form, key: str) -> str:
    return form.get(key, [""])[-1].strip()


def _priority(form: Form) -> int:
    text = _one(form, "priority") or "0"
    try:
        return int(text)
    except ValueError:
        raise ConfigError(f"priority must be a whole number, but got {shown(text)}") from None
