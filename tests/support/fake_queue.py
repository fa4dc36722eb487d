"""The port `Queue` in dictionaries, beside a `MemoryStore`, and held to the same contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from tests.support.fakes import MemoryStore
from vlga.errors import ConfigError, SearchExists
from vlga.ports.queue import Action, Seen, Submission, Watched


@dataclass
class Row:
    """A submission with what only its queue knows of it."""

    number: int
    submission: Submission
    key: str | None = None
    body: str = ""
    claimed_by: str | None = None
    claim_expires: float = 0.0


class MemoryQueue:
    """Submissions beside the searches of a store, whose clock is the database's.

    Attributes:
        rows: by name; several queues may share them.
        noted: every action, oldest first.
    """

    def __init__(self, store: MemoryStore) -> None:
        self.rows: dict[str, Row] = {}
        self.noted: list[Action] = []
        self._store = store

    def submit(self, submission: Submission, *, key: str | None = None, body: str = "") -> bool:
        for row in self.rows.values():
            if key is not None and row.key == key:
                if row.body != body:
                    raise ConfigError("an Idempotency-Key must come with one request only")
                return False
        name = submission.name
        if name in self.rows or name in self._store.searches:
            raise SearchExists(f"a search's name must be new, but {name!r} is taken")
        self._enter(submission, key, body)
        self.act(submission.created_by, "submitted", name)
        return True

    def submitted_with(self, key: str) -> str | None:
        return next((name for name, row in self.rows.items() if row.key == key), None)

    def find(self, name: str) -> Watched:
        if name in self.rows:
            return self._watched(self.rows[name])
        record, seen = self._store.find_search(name), self._seen(name)
        return Watched(
            Submission(
                name,
                record.config.model_dump(mode="json"),
                n_outcomes=seen.n_outcomes,
                is_settled=True,
                created_by="the command line",
                created_at=datetime.now(UTC),
            ),
            seen,
        )

    def unsettled(self) -> Sequence[Watched]:
        rows = [row for row in self.rows.values() if not row.submission.is_settled]
        rows.sort(key=lambda row: (-row.submission.priority, row.number))
        found = [self._watched(row) for row in rows]
        return [replace(one, submission=replace(one.submission, settings={})) for one in found]

    def n_waiting(self) -> int:
        return len(self.unsettled())

    def change(self, name: str, who: str, what: str, **values: Any) -> Submission:
        if name not in self.rows:
            self._enter(self.find(name).submission)
        self._change(name, {"is_settled": False, **values})
        self.act(who, what, name)
        return self.rows[name].submission

    def note(self, seen: Submission, **values: Any) -> bool:
        row = self.rows.get(seen.name)
        if row is None or row.submission != seen:
            return False
        self._change(seen.name, values)
        return True

    def remove(self, name: str) -> None:
        self.rows.pop(name, None)

    def claim(self, name: str, by: str, seconds: float) -> bool:
        row = self.rows.get(name)
        if row is None or self._claimant(row) not in (None, by):
            return False
        row.claimed_by, row.claim_expires = by, self.now() + seconds
        return True

    def unclaim(self, name: str, by: str) -> None:
        row = self.rows.get(name)
        if row is not None and row.claimed_by == by:
            row.claimed_by = None

    def now(self) -> float:
        return self._store.clock()

    def act(self, who: str, what: str, search: str, detail: str = "") -> None:
        self.noted.append(Action(datetime.now(UTC), who, what, search, detail))

    def actions(self, search: str, *, limit: int = 50) -> Sequence[Action]:
        return [one for one in reversed(self.noted) if one.search == search][:limit]

    def _enter(self, submission: Submission, key: str | None = None, body: str = "") -> None:
        number = max((row.number for row in self.rows.values()), default=0) + 1
        dated = replace(submission, created_at=submission.created_at or datetime.now(UTC))
        self.rows[submission.name] = Row(number, dated, key, body)

    def _change(self, name: str, values: dict[str, Any]) -> None:
        if "changes" in values:
            values = {**values, "changes": tuple(values["changes"])}
        row = self.rows[name]
        row.submission = replace(row.submission, **values)

    def _claimant(self, row: Row) -> str | None:
        return row.claimed_by if row.claim_expires > self.now() else None

    def _watched(self, row: Row) -> Watched:
        seen = self._seen(row.submission.name)
        return Watched(row.submission, seen, self._claimant(row))

    def _seen(self, name: str) -> Seen:
        if name not in self._store.searches:
            return Seen()
        status, lease = self._store.find_search(name).status, self._store.lease(name)
        return Seen(status, lease, len(self._store.evaluations(name)))
