"""A search's status as everybody is told it: what is stored, but for one whose process is gone.

A process that is killed can write no more, so its search is stored as running for ever. Who holds
its lease tells whether it runs.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from db.read.leases import read_leases
from vlga.ports.lease import Lease, is_in_force

__all__ = ["LOST", "read_statuses", "shown_status"]

#: Of a search that is stored as running, but that nobody runs: it can be resumed.
LOST = "lost"


def shown_status(stored: str, lease: Lease | None) -> str:
    """Give a search's status: ``running | completed | interrupted | failed | lost``.

    One that is stored as running is `LOST` unless somebody holds it: a process of this machine that
    lives, or one of another machine whose lease had not expired when it was read.
    """
    if stored != "running" or (lease is not None and is_in_force(lease)):
        return stored
    return LOST


def read_statuses(connection: Connection, stored: Mapping[int, str]) -> dict[int, str]:
    """Give the statuses of searches, by number, from what is stored and their leases."""
    running = [number for number, status in stored.items() if status == "running"]
    leases = read_leases(connection, running) if running else {}
    return {number: shown_status(status, leases.get(number)) for number, status in stored.items()}
