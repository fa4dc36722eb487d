"""All searches of a database, page by page: those that wait to be entered, then the entered ones.

One query a page, whose parts are read by key, so that it takes as long with a million outcomes as
with ten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, Select, func, select

from db.connection.engine import reading
from db.read.keyset import Page, cursor_after, read_cursor
from db.read.leases import clock, lease_of
from db.read.status import shown_status
from db.schema.service import progress, submissions
from db.schema.tables import evaluations, leases, searches
from vlga.errors import ConfigError, nearest
from vlga.ports.data import data_label
from vlga.ports.queue import Seen, Submission, Watched, Wish
from vlga.ports.state import State, state_of

__all__ = ["searches_named", "searches_page"]

#: Rows looked at for a page of which a filter leaves few; its cursor leads on from there.
_MOST_LOOKED_AT = 2000

_WAITING, _ENTERED = "waiting", "entered"
_LEASE = ("token", "host", "process_id", "origin", "since", "stop")


@dataclass(frozen=True, slots=True)
class _Filter:
    """Which searches are wanted; what is None or empty does not matter."""

    state: str | None = None
    strategy: str | None = None
    data: str | None = None
    text: str | None = None
    names: Sequence[str] | None = None


def searches_page(
    engine: Engine,
    *,
    limit: int,
    cursor: str | None = None,
    state: str | None = None,
    strategy: str | None = None,
    data: str | None = None,
    text: str | None = None,
) -> Page:
    """Give searches: submissions that are not entered yet, then the others, the newest first.

    Args:
        engine: open.
        limit: most rows, at least 1. A page of few matches may have less, and a `next`.
        cursor: the `next` of the page before.
        state: one of `vlga.ports.state.State`.
        strategy: its name.
        data: name of the images, as in the settings.
        text: that the search's name has in it, in whatever case.

    Returns:
        Rows of `name state status strategy data evaluations{completed,failed,reused} best_fitness
        test_accuracy n_parameters created_at updated_at seconds wanted priority note created_by
        progress`. `status` is None for a search that is not entered; `best_fitness` and
        `n_parameters` are the fittest network's; `progress` is what its process said last, with the
        `moment` by the database's clock, or None.

    Raises:
        ConfigError: no such state or cursor.
    """
    if state is not None and state not in [*State]:
        raise ConfigError(
            f"state must be a search's state, but got {state!r}{nearest(state, State)}"
        )
    wanted = _Filter(state, strategy, data, text.casefold() if text else None)
    items: list[dict[str, Any]] = []
    last: tuple[str, int] | None = None
    with reading(engine) as connection:
        for n_seen, (place, row) in enumerate(_rows(connection, wanted, limit, _start(cursor))):
            if len(items) == limit or n_seen == _MOST_LOOKED_AT:
                assert last is not None
                return Page(items, cursor_after(*last))
            last = place
            if _is_wanted(row, wanted):
                items.append(row)
    return Page(items, None)


def searches_named(engine: Engine, names: Sequence[str]) -> list[dict[str, Any]]:
    """Give the searches of these names that there are, at most 500, as `searches_page` does."""
    wanted = _Filter(names=names[:500])
    with reading(engine) as connection:
        return [row for _, row in _rows(connection, wanted, len(names), (_WAITING, None))]


def _start(cursor: str | None) -> tuple[str, int | None]:
    """Give the list, and the number in it, after which a page begins."""
    if cursor is None:
        return _WAITING, None
    try:
        return _WAITING, read_cursor(cursor, _WAITING, (int,))[0]
    except ConfigError:
        return _ENTERED, read_cursor(cursor, _ENTERED, (int,))[0]


def _rows(
    connection: Connection, wanted: _Filter, limit: int, start: tuple[str, int | None]
) -> Iterator[tuple[tuple[str, int], dict[str, Any]]]:
    """Give rows in order, each with its place, as long as somebody asks for more."""
    order, after = start
    at_once = limit + 1 if wanted.state is None else max(limit + 1, 200)
    for kind, select_some, read in (
        (_WAITING, _waiting, _waiting_row),
        (_ENTERED, _entered, _entered_row),
    ):
        if kind == _WAITING and order == _ENTERED:
            continue
        number = after if kind == order else None
        while True:
            statement = select_some(connection, wanted, number).limit(at_once)
            found = connection.execute(statement).mappings().all()
            for row in found:
                yield (kind, row["number"]), read(row)
            if len(found) < at_once:
                break
            number = found[-1]["number"]


def _waiting(connection: Connection, wanted: _Filter, after: int | None) -> Select[Any]:
    """Select submissions that have no search yet."""
    columns = submissions.c
    statement = (
        select(
            columns.id.label("number"),
            *_wishes(connection),
            columns.name,
            columns.settings,
            columns.created_at,
        )
        .select_from(submissions.outerjoin(searches, searches.c.name == columns.name))
        .where(searches.c.id.is_(None))
        .order_by(columns.id.desc())
    )
    if after is not None:
        statement = statement.where(columns.id < after)
    if wanted.text:
        statement = statement.where(_has(columns.name, wanted.text))
    if wanted.names is not None:
        statement = statement.where(columns.name.in_(wanted.names))
    return statement


def _entered(connection: Connection, wanted: _Filter, after: int | None) -> Select[Any]:
    """Select searches with what is wanted of them, who holds them and where they stand."""
    columns = searches.c
    chosen = select(searches).order_by(columns.id.desc())
    if after is not None:
        chosen = chosen.where(columns.id < after)
    if wanted.strategy is not None:
        chosen = chosen.where(columns.strategy == wanted.strategy)
    if wanted.data is not None:
        chosen = chosen.where(columns.data_name == wanted.data)
    if wanted.text:
        chosen = chosen.where(_has(columns.name, wanted.text))
    if wanted.names is not None:
        chosen = chosen.where(columns.name.in_(wanted.names))
    some = chosen.subquery("some")
    best_id = (
        select(evaluations.c.id)
        .where(evaluations.c.search_id == some.c.id, evaluations.c.is_final.is_(False))
        .where(evaluations.c.fitness.is_not(None))
        .order_by(evaluations.c.fitness.desc(), evaluations.c.candidate_id)
        .limit(1)
        .correlate(some)
        .scalar_subquery()
    )
    now = clock(connection)
    same = some.c.id
    tables = (
        some.outerjoin(submissions, submissions.c.name == some.c.name)
        .outerjoin(leases, leases.c.search_id == same)
        .outerjoin(progress, progress.c.search_id == same)
        .outerjoin(evaluations, evaluations.c.id == best_id)
    )
    names = (
        "name", "status", "strategy", "data_name", "fitness_on", "n_completed", "n_failed",
        "n_reused", "test_accuracy", "seconds", "created_at", "updated_at",
    )  # fmt: skip
    return (
        select(
            some.c.id.label("number"),
            *(some.c[name] for name in names),
            *_wishes(connection),
            *(leases.c[name].label(f"lease_{name}") for name in _LEASE),
            (leases.c.expires <= now).label("lease_has_expired"),
            progress.c.moment,
            progress.c.body,
            evaluations.c.fitness.label("best_fitness"),
            evaluations.c.n_parameters,
        )
        .select_from(tables)
        .order_by(some.c.id.desc())
    )


def _wishes(connection: Connection) -> list[Any]:
    """Give the columns of a submission that its search's state follows from, and its note."""
    columns = submissions.c
    names = ("wanted", "priority", "note", "created_by", "n_tries", "is_settled", "claimed_by")
    is_claimed = columns.claim_expires > clock(connection)
    return [*(columns[name] for name in names), is_claimed.label("is_claimed")]


def _has(column: Any, text: str) -> Any:
    return func.lower(column).contains(text, autoescape=True)


def _waiting_row(row: RowMapping) -> dict[str, Any]:
    settings = row["settings"]
    data = settings.get("data", {})
    return {
        "name": row["name"],
        "state": _state({**row}, Seen()),
        "status": None,
        "strategy": settings.get("strategy"),
        "data": data_label(data.get("name", ""), data.get("fitness_on", "validation")),
        "evaluations": {"completed": 0, "failed": 0, "reused": 0},
        **dict.fromkeys(("best_fitness", "test_accuracy", "n_parameters")),
        "created_at": row["created_at"].isoformat(),
        "updated_at": row["created_at"].isoformat(),
        "seconds": 0.0,
        **_wish(row),
        "progress": None,
    }


def _entered_row(row: RowMapping) -> dict[str, Any]:
    lease = None
    if row["lease_token"] is not None:
        lease = lease_of({name: row[f"lease_{name}"] for name in (*_LEASE, "has_expired")})
    n_outcomes = row["n_completed"] + row["n_failed"] + row["n_reused"]
    said = row["body"]
    return {
        "name": row["name"],
        "state": _state({**row}, Seen(row["status"], lease, n_outcomes)),
        "status": shown_status(row["status"], lease),
        "strategy": row["strategy"],
        "data": data_label(row["data_name"], row["fitness_on"]),
        "evaluations": {key: row[f"n_{key}"] for key in ("completed", "failed", "reused")},
        **{key: row[key] for key in ("best_fitness", "test_accuracy", "n_parameters")},
        **{key: row[key].isoformat() for key in ("created_at", "updated_at")},
        "seconds": row["seconds"],
        **_wish(row),
        "progress": None if said is None else {**said, "moment": row["moment"]},
    }


def _wish(row: RowMapping) -> dict[str, Any]:
    """Give what is wanted of a search; one begun by hand is wanted to run."""
    if row["wanted"] is None:
        return {"wanted": "run", "priority": 0, "note": "", "created_by": "the command line"}
    return {key: row[key] for key in ("wanted", "priority", "note", "created_by")}


def _state(row: Mapping[str, Any], seen: Seen) -> State:
    if row["wanted"] is None:
        return state_of(Watched(Submission(row["name"], {}, is_settled=True), seen))
    submission = Submission(
        row["name"],
        {},
        Wish(row["wanted"]),
        n_tries=row["n_tries"],
        note=row["note"],
        is_settled=row["is_settled"],
    )
    return state_of(Watched(submission, seen, row["claimed_by"] if row["is_claimed"] else None))


def _is_wanted(row: Mapping[str, Any], wanted: _Filter) -> bool:
    """Whether a row passes what its query did not filter."""
    if wanted.state is not None and row["state"] != wanted.state:
        return False
    if row["status"] is not None:
        return True
    return wanted.strategy in (None, row["strategy"]) and wanted.data in (None, row["data"])
