"""What people want of searches: submissions, and the wishes that the service carries out.

A submission is a row beside its search: it exists before the search does, and says what is wanted.
What is so follows from the search's status and its lease; the service's supervisor brings the two
together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from vlga.ports.lease import Lease

__all__ = ["Action", "Queue", "Seen", "Submission", "Watched", "Wish", "wish"]


class Wish(StrEnum):
    """What is wanted of a search."""

    RUN = "run"  #: run, as soon as there is a free place, to its end
    PAUSE = "pause"  #: end after the running trainings; it can be resumed
    STOP = "stop"  #: end at once, running trainings given up; it can be resumed
    DELETE = "delete"  #: end at once, then delete its rows and files


@dataclass(frozen=True, slots=True)
class Submission:
    """A search that somebody wants, or wanted, something of.

    Attributes:
        name: of the search.
        settings: all of them, as in the database: a tree for `vlga.config.load.parse_config`. Once
            the search is entered, its own count.
        wanted: what is wanted of it.
        priority: of two that wait, the higher starts first; of equals, the older.
        changes: ``dotted.key=value`` settings that change when it is resumed next.
        n_tries: runs begun since it last had a new outcome.
        n_outcomes: outcomes that it had when its last run began.
        next_try: when it may be started again, in seconds since 1970 by the database's clock; 0 for
            at once.
        note: why it does not run, in one line; empty if it does, or nothing keeps it.
        is_settled: whether nothing is left to do until somebody wants something else.
        created_by: name of the token that submitted it.
        created_at: aware.
    """

    name: str
    settings: Mapping[str, Any]
    wanted: Wish = Wish.RUN
    priority: int = 0
    changes: Sequence[str] = ()
    n_tries: int = 0
    n_outcomes: int = 0
    next_try: float = 0.0
    note: str = ""
    is_settled: bool = False
    created_by: str = ""
    created_at: datetime | None = None


def wish(wanted: Wish, **more: Any) -> dict[str, Any]:
    """Give the fields of a submission of which somebody wants something from now on.

    Earlier failures no longer count. `more` are further fields, such as `changes`.
    """
    return {"wanted": wanted, "n_tries": 0, "next_try": 0.0, "note": "", **more}


@dataclass(frozen=True, slots=True)
class Seen:
    """What is so of a search.

    Attributes:
        status: stored: ``running | completed | interrupted | failed``; None if it is not entered.
        lease: of the process that runs it, expired or not; None if there is none.
        n_outcomes: trainings recorded, completed, failed and reused.
    """

    status: str | None = None
    lease: Lease | None = None
    n_outcomes: int = 0


@dataclass(frozen=True, slots=True)
class Watched:
    """A submission with what is so of its search, read together.

    Attributes:
        submission: what is wanted.
        seen: what is so.
        claimed_by: the service that starts it now, if its claim has not expired; else None.
    """

    submission: Submission
    seen: Seen
    claimed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """Something that somebody did to a search.

    Attributes:
        at: aware.
        who: name of the token, or of the program.
        what: one word: ``submitted``, ``paused``, ``stopped``, ``resumed``, ``changed``,
            ``deleted``, ``started``, ``ended`` ...
        search: its name.
        detail: one line, or empty.
    """

    at: datetime
    who: str
    what: str
    search: str
    detail: str = ""


class Queue(Protocol):
    """Submissions in the database, beside the ledger. Every method is one transaction.

    All raise `StoreError`s. `find` and `change` raise `SearchNotFound` for a name that is neither
    submitted nor entered; the others then do nothing. Text loses what no database takes, as in the
    ledger.
    """

    def submit(self, submission: Submission, *, key: str | None = None, body: str = "") -> bool:
        """Enter a submission; it is on the disk when this returns.

        Args:
            submission: new.
            key: the client's idempotency key; the same key with the same `body` submits once.
            body: what came with the key, or its hash.

        Returns:
            Whether it is new; False for a repeated key.

        Raises:
            SearchExists: the name is taken, by a submission or a search.
            ConfigError: the key came with another body before.
        """

    def submitted_with(self, key: str) -> str | None:
        """Give the name that was submitted with an idempotency key, or None."""

    def find(self, name: str) -> Watched:
        """Give a submission with what is so; made from the search if only that is entered."""

    def unsettled(self) -> Sequence[Watched]:
        """Give submissions with something left to do, by priority, then the oldest first.

        Without their settings: there may be a thousand of them, asked for once a second.
        """

    def n_waiting(self) -> int:
        """Count submissions with something left to do."""

    def change(self, name: str, who: str, what: str, **values: Any) -> Submission:
        """Change fields of a submission and note the action; a search begun elsewhere gets one.

        Unless `is_settled` is among the values, something is left to do afterwards.
        """

    def note(self, seen: Submission, **values: Any) -> bool:
        """Change fields of a submission, without an action, if it still is as it was seen.

        Returns:
            False if somebody has changed or removed it since: a wish is never overwritten.
        """

    def remove(self, name: str) -> None:
        """Delete a submission; its search is left alone. Nothing happens if there is none."""

    def claim(self, name: str, by: str, seconds: float) -> bool:
        """Reserve the start of a search for one service; False if another one has it.

        Args:
            name: of the submission.
            by: the service; who has the claim already gets it for as long again.
            seconds: from now, by the database's clock.
        """

    def unclaim(self, name: str, by: str) -> None:
        """Give a claim back, if it is this service's."""

    def now(self) -> float:
        """Give the database's time, in seconds since 1970."""

    def act(self, who: str, what: str, search: str, detail: str = "") -> None:
        """Note an action."""

    def actions(self, search: str, *, limit: int = 50) -> Sequence[Action]:
        """Give the newest actions on a search, the newest first."""
