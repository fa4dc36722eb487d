"""A search's status as it is shown: the stored one, unless the search's process is gone.

A process that is killed writes nothing any more, so its search is stored as running for ever.
Whether it really runs follows from its lease.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from db.read.leases import read_leases
from vlga.ports.lease import Lease, is_in_force

__all__ = ["LOST", "read_statuses", "shown_status"]

#: Status of a search that is stored as running, but that no process runs; it can be resumed.
LOST = "lost"


def shown_status(stored: str, lease: Lease | None) -> str:
    """Give a search's status: ``running | completed | interrupted | failed | lost``.

    A search stored as running is `LOST` unless a process holds it: one of this machine that is
    alive, or one of another machine whose lease had not expired when it was read.
    """
    if stored != "running" or (lease is not None and is_in_force(lease)):
        return stored
    return LOST


def read_statuses(connection: Connection, stored: Mapping[int, str]) -> dict[int, str]:
    """Give the statuses of searches, by number, from what is stored and their leases."""
    running = [number for number, status in stored.items() if status == "running"]
    leases = read_leases(connection, running) if running else {}
    return {number: shown_status(status, leases.get(number)) for number, status in stored.items()}
