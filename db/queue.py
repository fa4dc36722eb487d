"""`vlga.ports.queue.Queue` in the database of the searches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    Select,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from db.connection.engine import reading, writing
from db.read.leases import clock, lease_of
from db.read.searches import find_search_id
from db.schema.service import actions, submissions
from db.schema.tables import leases, searches
from vlga.errors import ConfigError, SearchExists
from vlga.ports.queue import Action, Seen, Submission, Watched, Wish

__all__ = ["SqlQueue"]

_FIELDS = tuple(name for name in Submission.__slots__ if name != "name")


class SqlQueue:
    """Submissions in a database. Any number of processes may use it at once; see `Queue`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def submit(self, submission: Submission, *, key: str | None = None, body: str = "") -> bool:
        """Enter a submission; False if it was, with the same key.

        Raises:
            SearchExists: the name is taken.
            ConfigError: the key came with another body before.
        """
        name = submission.name
        with writing(self._engine) as connection:
            if key is not None and (known := _keyed(connection, key)) is not None:
                if known["idempotency_body"] != body:
                    raise ConfigError(
                        "an Idempotency-Key must come with one request only, but this one came "
                        f"with another, for {known['name']!r}; make up a new key"
                    )
                return False
            taken = or_(
                exists().where(submissions.c.name == name), exists().where(searches.c.name == name)
            )
            if connection.scalar(select(taken)):
                raise SearchExists(
                    f"a search's name must be new, but {name!r} is taken; choose another"
                )
            connection.execute(
                insert(submissions).values(
                    name=name,
                    claim_expires=0.0,
                    idempotency_key=key,
                    idempotency_body=None if key is None else body,
                    **_values(submission),
                )
            )
            _act(connection, submission.created_by, "submitted", name)
        return True

    def submitted_with(self, key: str) -> str | None:
        """Give the name that was submitted with an idempotency key, or None."""
        with reading(self._engine) as connection:
            known = _keyed(connection, key)
        return None if known is None else known["name"]

    def find(self, name: str) -> Watched:
        """Give a submission with what is so; made from the search if only that is entered.

        Raises:
            SearchNotFound: neither is.
        """
        with reading(self._engine) as connection:
            row = connection.execute(_watched(connection).where(submissions.c.name == name))
            found = row.mappings().one_or_none()
            return _read(found) if found is not None else _begun_elsewhere(connection, name)

    def unsettled(self) -> Sequence[Watched]:
        """Give submissions with something left to do, by priority, then the oldest first."""
        order = submissions.c.priority.desc(), submissions.c.id
        with reading(self._engine) as connection:
            statement = _watched(connection).where(submissions.c.is_settled.is_(False))
            return [_read(row) for row in connection.execute(statement.order_by(*order)).mappings()]

    def n_waiting(self) -> int:
        """Count submissions with something left to do."""
        statement = select(func.count()).where(submissions.c.is_settled.is_(False))
        with reading(self._engine) as connection:
            return connection.scalar(statement) or 0

    def change(self, name: str, who: str, what: str, **values: Any) -> Submission:
        """Change fields and note the action; a search begun elsewhere gets a submission.

        Unless `is_settled` is among the values, something is left to do afterwards.

        Raises:
            SearchNotFound: neither a submission nor a search has that name.
        """
        values = {"is_settled": False, **values}
        with writing(self._engine) as connection:
            if not connection.scalar(select(exists().where(submissions.c.name == name))):
                begun = _begun_elsewhere(connection, name).submission
                row = {"name": name, "claim_expires": 0.0, **_values(begun)}
                connection.execute(insert(submissions).values(**row))
            _change(connection, name, values)
            _act(connection, who, what, name)
            row_now = connection.execute(
                _watched(connection).where(submissions.c.name == name)
            ).mappings()
            return _read(row_now.one()).submission

    def note(self, name: str, **values: Any) -> None:
        """Change fields of a submission, without an action."""
        with writing(self._engine) as connection:
            _change(connection, name, values)

    def remove(self, name: str) -> None:
        """Delete a submission; its search is left alone."""
        with writing(self._engine) as connection:
            connection.execute(delete(submissions).where(submissions.c.name == name))

    def claim(self, name: str, by: str, seconds: float) -> bool:
        """Reserve the start of a search for one service; False if another one has it."""
        columns = submissions.c
        with writing(self._engine) as connection:
            now = clock(connection)
            claimed = connection.execute(
                update(submissions)
                .where(columns.name == name)
                .where(
                    columns.claimed_by.is_(None)
                    | (columns.claimed_by == by)
                    | (columns.claim_expires <= now)
                )
                .values(claimed_by=by, claim_expires=now + seconds)
            )
            return claimed.rowcount > 0

    def unclaim(self, name: str, by: str) -> None:
        """Give a claim back, if it is this service's."""
        columns = submissions.c
        with writing(self._engine) as connection:
            connection.execute(
                update(submissions)
                .where(columns.name == name, columns.claimed_by == by)
                .values(claimed_by=None, claim_expires=0.0)
            )

    def act(self, who: str, what: str, search: str, detail: str = "") -> None:
        """Note an action."""
        with writing(self._engine) as connection:
            _act(connection, who, what, search, detail)

    def actions(self, search: str, *, limit: int = 50) -> Sequence[Action]:
        """Give the newest actions on a search, the newest first."""
        statement = (
            select(actions)
            .where(actions.c.search == search)
            .order_by(actions.c.id.desc())
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [
                Action(row["at"], row["who"], row["what"], row["search"], row["detail"])
                for row in connection.execute(statement).mappings()
            ]


def _values(submission: Submission) -> dict[str, Any]:
    """Give the columns of a submission, but for its name and what only the database has."""
    values = {name: getattr(submission, name) for name in _FIELDS}
    values["changes"] = [*submission.changes]
    values["created_at"] = submission.created_at or datetime.now(UTC)
    return values


def _change(connection: Connection, name: str, values: dict[str, Any]) -> None:
    """Set fields of a submission; a row that is gone stays gone."""
    if "changes" in values:
        values = {**values, "changes": [*values["changes"]]}
    connection.execute(update(submissions).where(submissions.c.name == name).values(**values))


def _act(connection: Connection, who: str, what: str, search: str, detail: str = "") -> None:
    row = {"at": datetime.now(UTC), "who": who, "what": what, "search": search, "detail": detail}
    connection.execute(insert(actions).values(**row))


def _keyed(connection: Connection, key: str) -> RowMapping | None:
    statement = select(submissions).where(submissions.c.idempotency_key == key)
    return connection.execute(statement).mappings().one_or_none()


def _n_outcomes() -> ColumnElement[int]:
    columns = searches.c
    return func.coalesce(columns.n_completed + columns.n_failed + columns.n_reused, 0)


def _watched(connection: Connection) -> Select[tuple[Any, ...]]:
    """Select submissions with the status, the outcomes and the lease of their searches."""
    now = clock(connection)
    lease_columns = [column.label(f"lease_{column.name}") for column in leases.c]
    return select(
        submissions,
        searches.c.status.label("stored_status"),
        _n_outcomes().label("seen_outcomes"),
        *lease_columns,
        (leases.c.expires <= now).label("lease_has_expired"),
        case((submissions.c.claim_expires > now, submissions.c.claimed_by)).label("claimant"),
    ).select_from(
        submissions.outerjoin(searches, searches.c.name == submissions.c.name).outerjoin(
            leases, leases.c.search_id == searches.c.id
        )
    )


def _read(row: RowMapping) -> Watched:
    """Read a row of `_watched`."""
    fields = {name: row[name] for name in _FIELDS}
    fields["wanted"] = Wish(row["wanted"])
    fields["changes"] = tuple(row["changes"])
    lease = None
    if row["lease_token"] is not None:
        lease = lease_of({name: row[f"lease_{name}"] for name in (*leases.c.keys(), "has_expired")})
    seen = Seen(row["stored_status"], lease, row["seen_outcomes"])
    return Watched(Submission(row["name"], **fields), seen, row["claimant"])


def _begun_elsewhere(connection: Connection, name: str) -> Watched:
    """Make a submission, which nobody entered, out of a search, begun by hand.

    Raises:
        SearchNotFound: there is no such search.
    """
    search_id = find_search_id(connection, name)
    now = clock(connection)
    row = (
        connection.execute(
            select(
                searches.c.config,
                searches.c.status,
                searches.c.created_at,
                _n_outcomes().label("seen_outcomes"),
                leases,
                (leases.c.expires <= now).label("has_expired"),
            )
            .select_from(searches.outerjoin(leases, leases.c.search_id == searches.c.id))
            .where(searches.c.id == search_id)
        )
        .mappings()
        .one()
    )
    lease = None if row["token"] is None else lease_of({**row})
    submission = Submission(
        name,
        row["config"],
        n_outcomes=row["seen_outcomes"],
        is_settled=True,
        created_by="the command line",
        created_at=row["created_at"],
    )
    return Watched(submission, Seen(row["status"], lease, row["seen_outcomes"]))
