"""Leases: the row by which one process holds a search, and the guard that every write passes.

Times are the database's (db/read/leases.py). A guard's update locks the row until its transaction
ends, so that a lease is taken over before a write or after it, never during it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, update

from db.read.leases import clock, read_lease
from db.schema.tables import leases
from vlga.errors import LeaseLost
from vlga.ports.lease import Holder, Stop

__all__ = ["delete_lease", "guard", "insert_lease", "request_stop"]

_columns = leases.c


def guard(
    connection: Connection, search: str, search_id: int, held: tuple[str, float] | None
) -> Stop | None:
    """Check that a store may write to a search, and renew its lease.

    Args:
        connection: with the transaction of the write.
        search: its name.
        search_id: its number.
        held: token and seconds of the store's lease; None if it never had one, which is allowed
            as long as no other store has one.

    Returns:
        How the search was asked to stop, or None.

    Raises:
        LeaseLost: another store holds the search, or held it after this one.
    """
    if held is None:
        if read_lease(connection, search_id) is not None:
            raise _lost(connection, search, search_id)
        return None
    row = connection.execute(
        update(leases)
        .where(_columns.search_id == search_id, _columns.token == held[0])
        .values(expires=clock(connection) + held[1])
        .returning(_columns.stop)
    ).one_or_none()
    if row is None:
        raise _lost(connection, search, search_id)
    return None if row.stop is None else Stop(row.stop)


def insert_lease(
    connection: Connection,
    upsert: Any,
    search_id: int,
    holder: Holder,
    *,
    seconds: float,
    over: str | None,
) -> bool:
    """Give a holder the lease of a search, unless another one has it; False if that is so.

    Args:
        connection: with the transaction.
        upsert: the ``insert`` of the database's dialect.
        search_id: the search's number.
        holder: who asks for it.
        seconds: for how long from now.
        over: token of a lease that may be taken over although it has not expired.
    """
    now = clock(connection)
    statement = upsert(leases).values(
        search_id=search_id,
        token=holder.token,
        host=holder.host,
        process_id=holder.process_id,
        origin=holder.origin,
        since=func.current_timestamp(),
        expires=now + seconds,
    )
    names = ("token", "host", "process_id", "origin", "since", "expires", "stop")
    given = connection.scalar(
        statement.on_conflict_do_update(
            index_elements=["search_id"],
            set_={name: statement.excluded[name] for name in names},
            where=(_columns.expires <= now) | (_columns.token == bindparam("over", over)),
        ).returning(_columns.token)
    )
    return given is not None


def delete_lease(connection: Connection, search_id: int, token: str) -> bool:
    """End a lease, if it was not taken over; False if it was, or if there is none."""
    ended = connection.execute(
        delete(leases).where(_columns.search_id == search_id, _columns.token == token)
    )
    return ended.rowcount > 0


def request_stop(connection: Connection, search_id: int, stop: Stop) -> bool:
    """Leave a request to stop for the holder of a search; ``NOW`` replaces ``DRAIN``."""
    asked = connection.execute(
        update(leases)
        .where(_columns.search_id == search_id)
        .values(stop=stop.value if stop is Stop.NOW else func.coalesce(_columns.stop, stop.value))
    )
    return asked.rowcount > 0


def _lost(connection: Connection, search: str, search_id: int) -> LeaseLost:
    lease = read_lease(connection, search_id)
    by = f"is run by {lease}" if lease else "was run by another process meanwhile"
    return LeaseLost(
        f"one process at a time may write to a search, but {search!r} {by}; this one stops, and "
        "what it has recorded is kept"
    )
