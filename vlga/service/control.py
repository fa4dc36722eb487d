"""What a person may do with searches, over REST and on the pages alike.

Each function writes one row of the queue, which the supervisor then carries out; a refusal leaves
nothing behind. `who` is the name of the token that asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from db.connection.engine import writing
from db.ledger.leases import request_stop
from db.read.names import find_search_id, free_name
from vlga.config.change import change_config
from vlga.config.load import parse_config
from vlga.errors import (
    ConfigError,
    QueueFull,
    SearchDone,
    SearchExists,
    SearchHeld,
    SearchNotFound,
)
from vlga.ports.lease import Stop
from vlga.ports.names import check_name, made_up_name
from vlga.ports.queue import Submission, Watched, Wish
from vlga.ports.state import State, state_of
from vlga.service.context import Service
from vlga.service.dry import resolved
from vlga.service.submitted import as_changes, flat, read_settings

__all__ = ["change", "delete", "dry_run", "pause", "resume", "stop", "submit"]

#: Made-up names that are tried, should somebody else take them first.
_N_NAMES = 20
_MOST_PRIORITY = 1000

#: A process holds the search and goes on, or is about to; or it ends.
_RUNS = (State.STARTING, State.RUNNING)
_ENDS = (State.PAUSING, State.STOPPING)


def submit(
    service: Service,
    name: str | None,
    settings: Mapping[str, Any],
    *,
    who: str,
    priority: int = 0,
    key: str | None = None,
    body: str = "",
    preset: str = "default",
) -> str:
    """Enter a submission; it is on the disk when this returns.

    Args:
        service: that is to run it.
        name: of the search, or None for one made up from the data.
        settings: as `vlga.service.submitted.read_settings` takes them.
        who: asks.
        priority: of two that wait, the higher starts first; from -1000 to 1000.
        key: the same key with the same `body` submits once.
        body: what came with the key, or its hash.
        preset: whose settings these replace.

    Returns:
        The search's name; that of the first time for a repeated key.

    Raises:
        ConfigError: a mistake in the settings or the name; the key came with another body before.
        DataError: the images are none that this service has.
        SearchExists: the name is taken.
        QueueFull: too many searches wait.
    """
    if name is not None:
        check_name(name)
    _check_priority(priority)
    config = read_settings(service, settings, preset=preset)
    if service.queue.n_waiting() >= service.options.n_waiting:
        raise QueueFull(
            f"at most {service.options.n_waiting} searches may wait, and so many do; "
            "wait until one ends, or delete one"
        )
    stem = made_up_name(Path(config.data.name).stem)
    for attempt in range(_N_NAMES):
        chosen = name or free_name(service.engine, stem)
        submission = Submission(
            chosen, config.model_dump(mode="json"), priority=priority, created_by=who
        )
        try:
            is_new = service.queue.submit(submission, key=key, body=body)
        except SearchExists:
            if name is not None or attempt == _N_NAMES - 1:
                raise
            continue
        _wake(service)
        if not is_new and key is not None:
            chosen = service.queue.submitted_with(key) or chosen
        return chosen
    raise AssertionError("unreachable")


def dry_run(
    service: Service, settings: Mapping[str, Any], *, preset: str = "default"
) -> dict[str, Any]:
    """Say what would be searched, and what it would cost; nothing is entered.

    Returns:
        As `vlga.service.dry.resolved`.

    Raises:
        ConfigError: a mistake in the settings.
        DataError: the images cannot be read.
        StoreUnavailable: other dry runs take all the time there is.
    """
    return resolved(read_settings(service, settings, preset=preset))


def pause(service: Service, name: str, who: str) -> None:
    """End a search after its running trainings; it can be resumed.

    Raises:
        SearchNotFound: there is no such search.
        SearchDone: it has ended by itself.
    """
    _end(service, name, who, Wish.PAUSE, "paused")


def stop(service: Service, name: str, who: str) -> None:
    """End a search at once, its running trainings given up; it can be resumed.

    Raises:
        SearchNotFound: there is no such search.
        SearchDone: it has ended by itself.
    """
    _end(service, name, who, Wish.STOP, "stopped")


def resume(
    service: Service, name: str, who: str, *, settings: Mapping[str, Any] | None = None
) -> None:
    """Go on with a search, with some settings changed; what runs already runs on.

    One that is being paused or stopped ends first if settings change.

    Raises:
        SearchNotFound: there is no such search.
        SearchDone: it is completed, and nothing changes.
        SearchHeld: it runs, and its settings cannot change meanwhile; or it is being deleted.
        ConfigError: a setting may not change.
    """
    watched = service.queue.find(name)
    state = state_of(watched)
    _refuse_deleted(watched)
    if not settings:
        if state in (State.QUEUED, State.STARTING, State.RUNNING):
            return
        if state is State.COMPLETED:
            raise SearchDone(
                f"a search must be unfinished to be resumed, but {name!r} is completed; "
                "it goes on only with a larger budget: give settings, such as budget.evaluations"
            )
    changed = _changed(service, watched, settings or {})
    again = {"n_tries": 0, "next_try": 0.0, "note": ""}
    service.queue.change(name, who, "resumed", wanted=Wish.RUN, **again, **changed)
    if settings and state in _ENDS:
        _let_end(service, name)
    _wake(service)


def _let_end(service: Service, name: str) -> None:
    """Ask its process to end, as the supervisor may not have done and now no longer would."""
    with suppress(SearchNotFound), writing(service.engine) as connection:
        request_stop(connection, find_search_id(connection, name), Stop.DRAIN)


def change(
    service: Service,
    name: str,
    who: str,
    *,
    priority: int | None = None,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Change the priority of a search, or settings for when it starts or is resumed.

    Raises:
        SearchNotFound: there is no such search.
        SearchHeld: it runs, and its settings cannot change meanwhile; or it is being deleted.
        ConfigError: a setting may not change; the priority is out of range.
    """
    watched = service.queue.find(name)
    _refuse_deleted(watched)
    values: dict[str, Any] = {}
    if priority is not None:
        _check_priority(priority)
        values["priority"] = priority
    if settings:
        values |= _changed(service, watched, settings)
    if values:
        is_settled = watched.submission.is_settled
        service.queue.change(name, who, "changed", is_settled=is_settled, **values)


def delete(service: Service, name: str, who: str, *, ends_it: bool = True) -> None:
    """Delete a search with its rows and files, soon.

    Args:
        service: whose search it is.
        name: of the search.
        who: asks.
        ends_it: end it before, if it runs.

    Raises:
        SearchNotFound: there is no such search.
        SearchHeld: it runs, and is not to be ended.
    """
    watched = service.queue.find(name)
    if not ends_it and state_of(watched) in (*_RUNS, *_ENDS):
        raise SearchHeld(
            f"a search must not run to be deleted, but {name!r} does; "
            "stop it before, or ask for both with ?stop=true"
        )
    if not _is_deleted(watched):
        service.queue.change(name, who, "deleted", wanted=Wish.DELETE)
        _wake(service)


def _end(service: Service, name: str, who: str, wish: Wish, what: str) -> None:
    watched = service.queue.find(name)
    state = state_of(watched)
    _refuse_deleted(watched)
    if state in (State.COMPLETED, State.FAILED):
        raise SearchDone(
            f"a search must not have ended to be {what}, but {name!r} is {state}; "
            "look at what it found, or delete it"
        )
    resting = State.PAUSED if wish is Wish.PAUSE else State.STOPPED
    if state is resting or (
        watched.submission.wanted is wish and not watched.submission.is_settled
    ):
        return
    service.queue.change(name, who, what, wanted=wish)
    _wake(service)


def _changed(service: Service, watched: Watched, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give the fields of a submission whose settings change.

    Raises:
        SearchHeld: the search runs.
        ConfigError: a setting may not change.
    """
    if not settings:
        return {}
    name, submission = watched.submission.name, watched.submission
    if state_of(watched) in _RUNS:
        raise SearchHeld(
            f"a search must not run when its settings change, but {name!r} does; pause it before"
        )
    changes = as_changes(settings)
    if watched.seen.status is None:
        config = read_settings(service, {**flat(submission.settings), **flat(settings)})
        return {"settings": config.model_dump(mode="json")}
    both = [*submission.changes, *changes]
    change_config(parse_config(submission.settings), settings=both, reached=(0, 2**31))
    return {"changes": both}


def _wake(service: Service) -> None:
    """Let what is wanted be seen at once."""
    if service.supervisor is not None:
        service.supervisor.wake()


def _check_priority(priority: int) -> None:
    if not -_MOST_PRIORITY <= priority <= _MOST_PRIORITY:
        raise ConfigError(
            f"priority must be from -{_MOST_PRIORITY} to {_MOST_PRIORITY}, but got {priority}"
        )


def _is_deleted(watched: Watched) -> bool:
    return watched.submission.wanted is Wish.DELETE and not watched.submission.is_settled


def _refuse_deleted(watched: Watched) -> None:
    if _is_deleted(watched):
        raise SearchHeld(
            f"a search must be there to be changed, but {watched.submission.name!r} is being "
            "deleted; submit another"
        )
