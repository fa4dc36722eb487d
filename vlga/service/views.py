"""A search and a network in full, as the service shows them; ready for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine

from db.read.searches import individual, show_search
from vlga.errors import SearchNotFound
from vlga.ports.data import data_label
from vlga.ports.queue import Queue, Submission
from vlga.ports.state import State, queue_places, state_of
from vlga.report.network import (
    layer_rows,
    network_facts,
    network_plan,
    training_text,
)

__all__ = ["network_view", "search_view"]

_N_ACTIONS = 50


def search_view(engine: Engine, queue: Queue, name: str) -> dict[str, Any]:
    """Give a search in full, entered or not.

    Returns:
        The keys of `db.read.searches.show_search` and `state place wanted priority note changes
        created_by progress actions`. Before it is entered, `status` is None and what only the
        images tell is None or empty. `place` is that in the queue, from 1, or None. `progress` is
        what its process said last, with the `moment` by the database's clock, or None. `actions`
        are rows of `at who what detail`, the newest first.

    Raises:
        SearchNotFound: neither a search nor a submission has that name.
    """
    watched = queue.find(name)
    wanted = watched.submission
    try:
        shown = show_search(engine, name)
    except SearchNotFound:
        shown = _before_it_is_entered(wanted)
    state = state_of(watched)
    places = queue_places(queue.unsettled()) if state is State.QUEUED else {}
    return {
        **shown,
        "state": state,
        "place": places.get(name),
        "wanted": wanted.wanted.value,
        **{key: getattr(wanted, key) for key in ("priority", "note", "created_by")},
        "changes": [*wanted.changes],
        "actions": [
            {"at": one.at.isoformat(), "who": one.who, "what": one.what, "detail": one.detail}
            for one in queue.actions(name, limit=_N_ACTIONS)
        ],
    }


def network_view(engine: Engine, name: str, candidate_id: int) -> dict[str, Any]:
    """Give a network in full: what ``vlga individual`` says of it.

    Returns:
        The keys of `db.read.searches.individual` and: `layers`, rows of `layer what shape
        parameters macs`; `facts`, a line for each of `made by`, `network`, `training`, `amplified`
        and `plan`; in each of the `evaluations` a `text`, what it was and what came of it.

    Raises:
        SearchNotFound: no search of that name.
        NoIndividual: it has no such network.
    """
    found = individual(engine, name, candidate_id)
    data = show_search(engine, name)
    plan = network_plan(found, data)
    outcomes = [{**one, "text": training_text(one, data)} for one in found["evaluations"]]
    return {
        **found,
        "evaluations": outcomes,
        "facts": network_facts(found, plan),
        "layers": layer_rows(plan),
    }


def _before_it_is_entered(wanted: Submission) -> dict[str, Any]:
    """Give the keys of `show_search` for a submission, of which the images were not read yet."""
    settings: Mapping[str, Any] = wanted.settings
    data = settings.get("data", {})
    fitness_on = data.get("fitness_on", "validation")
    at = None if wanted.created_at is None else wanted.created_at.isoformat()
    return {
        "name": wanted.name,
        "status": None,
        "strategy": settings.get("strategy"),
        "seed": settings.get("seed"),
        "data": data_label(data.get("name", ""), fitness_on),
        "evaluations": {"completed": 0, "failed": 0, "reused": 0},
        "best": None,
        "seconds": 0.0,
        "message": "",
        "rivals": None,
        "committee": None,
        "failures": {},
        "data_fingerprint": None,
        "fitness": settings.get("fitness", "accuracy"),
        "fitness_on": fitness_on,
        "input_shape": None,
        "images": None,
        "classes": [],
        "config": {**settings},
        "versions": {},
        "state": None,
        "progress": None,
        "created_at": at,
        "updated_at": at,
    }
