"""Who holds which search, and until when by the database's clock.

That is the clock of Postgres' server, or of the machine whose process has the SQLite file open.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Double, Engine, cast, extract, func, select

from db.connection.engine import reading
from db.schema.tables import leases
from vlga.ports.lease import Holder, Lease, Stop

__all__ = ["clock", "lease_of", "read_clock", "read_lease", "read_leases"]

_columns = leases.c


def read_lease(connection: Connection, search_id: int) -> Lease | None:
    """Give a search's lease, expired or not."""
    return read_leases(connection, [search_id]).get(search_id)


def read_leases(connection: Connection, search_ids: Collection[int]) -> dict[int, Lease]:
    """Give those searches' leases that there are, expired or not, by the search's number."""
    rows = connection.execute(
        select(leases, (_columns.expires <= clock(connection)).label("has_expired")).where(
            _columns.search_id.in_(search_ids)
        )
    )
    return {row["search_id"]: lease_of({**row}) for row in rows.mappings()}


def lease_of(row: Mapping[str, Any]) -> Lease:
    """Read a row of `leases` with `has_expired` beside it."""
    return Lease(
        Holder(row["token"], row["host"], row["process_id"], row["origin"]),
        row["since"],
        bool(row["has_expired"]),
        None if row["stop"] is None else Stop(row["stop"]),
    )


def read_clock(engine: Engine) -> float:
    """Give the database's time, in seconds since 1970."""
    with reading(engine) as connection:
        return float(connection.scalar(select(clock(connection))) or 0.0)


def clock(connection: Connection) -> ColumnElement[float]:
    """Give the database's time at this statement, in seconds since 1970."""
    if connection.dialect.name == "sqlite":
        return (func.julianday("now", type_=Double) - 2440587.5) * 86400.0
    # Not now(), which is when the transaction began: it may have waited for a lock since.
    return cast(extract("epoch", func.clock_timestamp()), Double)
