"""`vlga.ports.queue.Queue` in the database of the searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, delete, exists, func, insert, select, update

from db.connection.engine import reading, writing
from db.ledger.codec import clean_text
from db.ledger.writes import upsert_of
from db.read.leases import clock, read_clock
from db.read.names import find_search_id
from db.read.submissions import begun_elsewhere, find_submission, read_watched, watched
from db.schema.service import actions, submissions
from db.schema.tables import searches
from vlga.errors import ConfigError, SearchExists
from vlga.ports.queue import Action, Submission, Watched

__all__ = ["SqlQueue"]


class SqlQueue:
    """Submissions in a database. Any number of processes may use it at once; see `Queue`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._upsert = upsert_of(engine)

    def submit(self, submission: Submission, *, key: str | None = None, body: str = "") -> bool:
        """Enter a submission; False if it was, with the same key.

        Raises:
            SearchExists: the name is taken.
            ConfigError: the key came with another body before.
        """
        row = _row(submission)
        row |= {"idempotency_key": _text(key), "idempotency_body": key and clean_text(body)}
        name = row["name"]
        # On a conflict nothing is written: another process may have entered the same meanwhile.
        enter = self._upsert(submissions).values(**row).on_conflict_do_nothing()
        with writing(self._engine) as connection:
            is_entered = connection.scalar(select(exists().where(searches.c.name == name)))
            if not is_entered and connection.scalar(enter.returning(submissions.c.id)) is not None:
                _act(connection, submission.created_by, "submitted", name)
                return True
            known = None if key is None else _keyed(connection, key)
        if known is None:
            raise SearchExists(
                f"a search's name must be new, but {name!r} is taken; choose another"
            )
        if known["idempotency_body"] != row["idempotency_body"]:
            raise ConfigError(
                "an Idempotency-Key must come with one request only, but this one came with "
                f"another, for {known['name']!r}; make up a new key"
            )
        return False

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
        name = clean_text(name)
        with reading(self._engine) as connection:
            found = find_submission(connection, name)
            return found or begun_elsewhere(connection, find_search_id(connection, name))

    def unsettled(self) -> Sequence[Watched]:
        """Give submissions with something left to do, without settings, in their order."""
        order = submissions.c.priority.desc(), submissions.c.id
        with reading(self._engine) as connection:
            statement = watched(connection, has_settings=False).where(
                submissions.c.is_settled.is_(False)
            )
            return [
                read_watched(row)
                for row in connection.execute(statement.order_by(*order)).mappings()
            ]

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
        name, values = clean_text(name), {"is_settled": False, **values}
        with writing(self._engine) as connection:
            found = find_submission(connection, name)
            if found is None:
                search_id = find_search_id(connection, name)
                begun = _row(begun_elsewhere(connection, search_id).submission)
                connection.execute(
                    self._upsert(submissions).values(**begun).on_conflict_do_nothing()
                )
            _change(connection, name, values)
            _act(connection, who, what, name)
            changed = find_submission(connection, name)
            assert changed is not None, name
            return changed.submission

    def note(self, seen: Submission, **values: Any) -> bool:
        """Change fields of a submission, without an action, if it still is as it was seen."""
        with writing(self._engine) as connection:
            kept = select(submissions.c.id).where(submissions.c.name == seen.name)
            connection.execute(kept.with_for_update())
            found = find_submission(connection, seen.name)
            if found is None or found.submission != seen:
                return False
            _change(connection, seen.name, values)
            return True

    def remove(self, name: str) -> None:
        """Delete a submission; its search is left alone."""
        with writing(self._engine) as connection:
            connection.execute(delete(submissions).where(submissions.c.name == clean_text(name)))

    def claim(self, name: str, by: str, seconds: float) -> bool:
        """Reserve the start of a search for one service; False if another one has it."""
        columns = submissions.c
        with writing(self._engine) as connection:
            now = clock(connection)
            claimed = connection.execute(
                update(submissions)
                .where(columns.name == clean_text(name))
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
                .where(columns.name == clean_text(name), columns.claimed_by == by)
                .values(claimed_by=None, claim_expires=0.0)
            )

    def now(self) -> float:
        """Give the database's time, in seconds since 1970."""
        return read_clock(self._engine)

    def act(self, who: str, what: str, search: str, detail: str = "") -> None:
        """Note an action."""
        with writing(self._engine) as connection:
            _act(connection, who, what, search, detail)

    def actions(self, search: str, *, limit: int = 50) -> Sequence[Action]:
        """Give the newest actions on a search, the newest first."""
        mine = select(actions).where(actions.c.search == clean_text(search))
        newest = mine.order_by(actions.c.id.desc()).limit(limit)
        with reading(self._engine) as connection:
            rows = connection.execute(newest).mappings()
            return [Action(**{name: row[name] for name in Action.__slots__}) for row in rows]


def _row(submission: Submission) -> dict[str, Any]:
    """Give the row of a submission that nobody has claimed."""
    row = _values({name: getattr(submission, name) for name in Submission.__slots__})
    row["created_at"] = submission.created_at or datetime.now(UTC)
    return {**row, "claim_expires": 0.0}


def _values(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Give columns for fields of a submission."""
    values = {name: _text(value) for name, value in fields.items()}
    if "changes" in values:
        values["changes"] = [*values["changes"]]
    return values


def _text(value: Any) -> Any:
    return clean_text(value) if isinstance(value, str) else value


def _change(connection: Connection, name: str, fields: Mapping[str, Any]) -> None:
    """Set fields of a submission; a row that is gone stays gone."""
    statement = update(submissions).where(submissions.c.name == name)
    connection.execute(statement.values(**_values(fields)))


def _act(connection: Connection, who: str, what: str, search: str, detail: str = "") -> None:
    row = {"who": who, "what": what, "search": search, "detail": detail}
    cleaned = {name: clean_text(text) for name, text in row.items()}
    connection.execute(insert(actions).values(at=datetime.now(UTC), **cleaned))


def _keyed(connection: Connection, key: str) -> RowMapping | None:
    statement = select(submissions).where(submissions.c.idempotency_key == clean_text(key))
    return connection.execute(statement).mappings().one_or_none()
