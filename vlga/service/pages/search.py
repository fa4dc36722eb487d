"""The page of a search: where it stands, what it found, and what can be done to it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Engine

from db.read.mistakes import has_mistakes
from db.read.outcomes import newest_failures
from db.read.pages import candidates_page
from db.read.searches import individual
from vlga.errors import ConfigError, VlgaError
from vlga.ports.data import fitness_label
from vlga.ports.machines import Machines
from vlga.report.committee import committee_text, tested_of
from vlga.report.formats import (
    as_json,
    at_a_time_text,
    number_of,
    pace_text,
    seconds_text,
)
from vlga.report.rivals import rivals_lines, scores_text
from vlga.service.pages.charts import CHARTS
from vlga.service.pages.form import filled_in
from vlga.service.pages.rendering import (
    Form,
    Page,
    address,
    read_form,
    respond,
)
from vlga.service.pages.searches import act_on
from vlga.service.pages.words import progress_share
from vlga.service.views import search_view

__all__ = ["router", "status_line"]

router = APIRouter(route_class=Page, include_in_schema=False)

_ORDERS = {"-fitness": "the fittest first", "-id": "the newest first", "id": "the oldest first"}
_AT_ONCE = 20
_LOG_BYTES, _LOG_LINES = 20_000, 60


@router.get("/s/{name}")
def search(request: Request, name: str) -> Response:
    """Show a search."""
    return _page(request, name)


@router.post("/s/{name}/{action}")
def act(
    request: Request, name: str, action: str, form: Annotated[Form, Depends(read_form)]
) -> Response:
    """Do something to a search."""
    try:
        act_on(request, name, action, filled_in(form))
    except VlgaError as error:
        try:
            return _page(request, name, problem=str(error), status=409)
        except VlgaError:
            raise error from None
    return RedirectResponse("/" if action == "delete" else address(f"/s/{name}"), 303)


def status_line(progress: Mapping[str, Any] | None) -> str:
    """Say in a line where a running search stands, in the words of the terminal."""
    if progress is None:
        return "It has not said yet where it stands."
    share, left = progress["done_fraction"], progress["seconds_left"]
    pace, busy = progress["trainings_per_minute"], progress["busy_share"]
    parts = [
        f"{share:.0%} of its budget".replace("%", " %") if share is not None else "",
        f"{seconds_text(left)} left" if left is not None else "",
        f"phase {progress['phase']}, generation {progress['generation']}",
        f"{progress['n_running']} running, "
        + at_a_time_text(progress["n_slots"], Machines(**progress["machines"])),
        pace_text(pace) if pace else "",
        f"{busy:.0%} busy".replace("%", " %") if busy is not None else "",
    ]
    return " · ".join(part for part in parts if part)


def _page(request: Request, name: str, *, problem: str = "", status: int = 200) -> Response:
    service = request.app.state.service
    view = search_view(service.engine, service.queue, name)
    order = request.query_params.get("order", "-fitness")
    cursor = request.query_params.get("cursor")
    from_id = _number(request.query_params.get("from"))
    if from_id is not None and order == "-fitness":
        order = "id"
    shown = {"order": order, "orders": _ORDERS, "from_id": from_id}

    def networks() -> dict[str, Any]:
        if view["status"] is None:
            return {"networks": [], "more": None, **shown}
        page = candidates_page(
            service.engine, name, order=order, limit=_AT_ONCE, cursor=cursor, from_id=from_id
        )
        more = page.next and address(f"/s/{name}", order=order, cursor=page.next)
        return {"networks": page.items, "more": more, **shown}

    def failures() -> dict[str, Any]:
        some = newest_failures(service.engine, name) if view["failures"] else {}
        return {"newest": some}

    parts = {
        "status": lambda: {"pace": status_line(view["progress"]), "about": _about(view)},
        "best": lambda: _best(service.engine, view),
        "running": lambda: _running(view),
        "population": networks,
        "failures": failures,
        "settings": lambda: _settings(view),
        "log": lambda: {"log": _log(service, name)},
        "history": dict,
    }
    return respond(
        request,
        "search",
        parts=parts,
        status=status,
        view=view,
        charts=CHARTS,
        title=_title(view),
        news=_news(view),
        problem=problem,
    )


def _number(text: str | None) -> int | None:
    """Read a candidate's number out of a query."""
    if text is None or text == "":
        return None
    if not text.isdecimal() or len(text) > 10:
        raise ConfigError(f"from must be a network's number, but got {text!r}")
    return int(text)


def _title(view: Mapping[str, Any]) -> str:
    share = progress_share(view["state"], view["progress"])
    if view["state"] == "running" and share is not None:
        return f"{share:.0%} {view['name']}".replace("%", " %")
    return f"{view['state']}: {view['name']}"


def _news(view: Mapping[str, Any]) -> str:
    """Say in a sentence what a listener wants to hear."""
    best = view["best"]
    tail = f", best {best['fitness']:.4f} by network {best['id']}" if best else ""
    n = sum(view["evaluations"].values())
    return f"{view['name']} {view['state']}, {number_of(n, 'training')}{tail}"


def _about(view: Mapping[str, Any]) -> str:
    images = view["images"]
    parts = [
        f"{view['strategy'].replace('_', ' ')} on {view['data']}, seed {view['seed']}",
        " + ".join(f"{n:,} {split}" for split, n in images.items()) + " images" if images else "",
        _moment(view["created_at"], view["created_by"]),
    ]
    return " · ".join(part for part in parts if part)


def _moment(at: str, who: str) -> str:
    return f"{at[:16].replace('T', ' ')} UTC" + (f" by {who}" if who else "")


def _best(engine: Engine, view: Mapping[str, Any]) -> dict[str, Any]:
    best = view["best"]
    if best is None:
        return {
            "tested": None, "rivals": [], "file": None, "measure": None, "has_mistakes": False,
            "committee": None, "alone": None,
        }  # fmt: skip
    fitness, tested = view["fitness"], None
    answer, committee = tested_of(view), view["committee"]
    if answer["test_accuracy"] is not None:
        tested = scores_text(answer, view["images"]["test"], fitness)
    measure = fitness_label(fitness, view["fitness_on"])
    kinds = [one["kind"] for one in individual(engine, view["name"], best["id"])["artifacts"]]
    file = next((kind for kind in ("final_weights", "weights") if kind in kinds), None)
    lines = rivals_lines(view, answer["test_fitness"])
    rivals = [line[:1].upper() + line[1:] for line in lines]
    return {
        "tested": tested,
        "committee": committee and committee_text(committee),
        "alone": committee and scores_text(best, view["images"]["test"], fitness),
        "rivals": rivals,
        "file": file,
        "measure": measure,
        "has_mistakes": tested is not None and has_mistakes(engine, view["name"]),
    }


def _settings(view: Mapping[str, Any]) -> dict[str, Any]:
    versions = ", ".join(f"{name} {text}" for name, text in (view["versions"] or {}).items())
    return {"settings": as_json(view["config"]), "versions": versions}


def _running(view: Mapping[str, Any]) -> dict[str, Any]:
    """Give the networks in training, each with the seconds that it has been, or a longer one."""
    progress = view["progress"]
    if view["state"] not in ("running", "pausing") or progress is None:
        return {"running": [], "final": None}
    now = progress["moment"] + progress["age_seconds"]
    running = [
        {"id": one["id"], "seconds": max(0.0, now - one["since"])} for one in progress["running"]
    ]
    return {"running": running, "final": progress["final"]}


def _log(service: Any, name: str) -> str:
    """Give the end of what the search's processes have said."""
    try:
        with (service.logs / f"{name}.log").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LOG_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-_LOG_LINES:])
