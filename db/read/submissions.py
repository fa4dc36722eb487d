"""Submissions with what is so of their searches, as `vlga.ports.queue.Watched`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, case, func, select

from db.read.leases import clock, lease_of
from db.schema.service import submissions
from db.schema.tables import leases, searches
from vlga.ports.queue import Seen, Submission, Watched, Wish

__all__ = ["begun_elsewhere", "find_submission", "read_watched", "watched"]

_FIELDS = tuple(name for name in Submission.__slots__ if name != "name")


def find_submission(connection: Connection, name: str) -> Watched | None:
    """Give a submission with what is so of its search, if there is one."""
    found = connection.execute(watched(connection).where(submissions.c.name == name))
    row = found.mappings().one_or_none()
    return None if row is None else read_watched(row)


def _n_outcomes() -> ColumnElement[int]:
    columns = searches.c
    return func.coalesce(columns.n_completed + columns.n_failed + columns.n_reused, 0)


def watched(connection: Connection, *, has_settings: bool = True) -> Select[tuple[Any, ...]]:
    """Select submissions with the status, the outcomes and the lease of their searches."""
    now = clock(connection)
    columns = [one for one in submissions.c if has_settings or one.name != "settings"]
    lease_columns = [column.label(f"lease_{column.name}") for column in leases.c]
    return select(
        *columns,
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


def read_watched(row: RowMapping) -> Watched:
    """Read a row of `watched`."""
    fields = {name: row.get(name, {}) for name in _FIELDS}
    fields["wanted"] = Wish(row["wanted"])
    fields["changes"] = tuple(row["changes"])
    lease = None
    if row["lease_token"] is not None:
        lease = lease_of({name: row[f"lease_{name}"] for name in (*leases.c.keys(), "has_expired")})
    seen = Seen(row["stored_status"], lease, row["seen_outcomes"])
    return Watched(Submission(row["name"], **fields), seen, row["claimant"])


def begun_elsewhere(connection: Connection, search_id: int) -> Watched:
    """Make a submission, which nobody entered, out of a search, begun by hand."""
    now = clock(connection)
    row = (
        connection.execute(
            select(
                searches.c.name,
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
        row["name"],
        row["config"],
        n_outcomes=row["seen_outcomes"],
        is_settled=True,
        created_by="the command line",
        created_at=row["created_at"],
    )
    return Watched(submission, Seen(row["status"], lease, row["seen_outcomes"]))
