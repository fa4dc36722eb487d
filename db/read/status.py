"""A search's status as it is shown: the stored one, unless the search's process is gone.

A process that is killed writes nothing any more, so its search is stored as running for ever.
Whether it really runs follows from its lease.
"""

from __future__ import annotations

from vlga.ports.lease import Lease, is_in_force

__all__ = ["LOST", "shown_status"]

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
