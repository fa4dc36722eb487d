"""Who runs a search: a process of a machine, by a lease, and whether it still lives."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

__all__ = ["Holder", "Lease", "Leases", "Stop", "is_in_force", "lives", "this_process"]


class Stop(StrEnum):
    """How a search that runs is asked to stop."""

    DRAIN = "drain"  #: after what runs has ended
    NOW = "now"  #: at once; what runs is given up


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that runs a search.

    Attributes:
        token: random, for this search and this time only.
        host: name of its machine.
        process_id: there.
        origin: what no other process has, not even one of the same number and a machine of the
            same name; empty where the system does not say.
    """

    token: str
    host: str
    process_id: int
    origin: str


@dataclass(frozen=True, slots=True)
class Lease:
    """A search in the hands of one process, until the lease expires or is taken over.

    Attributes:
        holder: whose it is.
        since: when the holder took it, aware.
        has_expired: by the database's clock.
        stop: how the holder was asked to stop, or None.
    """

    holder: Holder
    since: datetime
    has_expired: bool
    stop: Stop | None = None

    def __str__(self) -> str:
        """Say who holds it, for a person."""
        since = self.since.strftime("%Y-%m-%d %H:%M:%S %Z")
        return f"process {self.holder.process_id} on {self.holder.host!r} since {since}"


class Leases(Protocol):
    """Who runs which search, by leases; a driver takes one before it writes to its search.

    Whatever is written to a search that another process has the lease of is refused with
    `LeaseLost`, and so is whatever is written by a process whose lease was taken over, for good; a
    write with a lease renews it.

    Every method raises `SearchNotFound` for a search that is not there, and other `StoreError`s.
    """

    def acquire(
        self, search: str, holder: Holder, seconds: float, *, over: str | None = None
    ) -> bool:
        """Hold a search for so many seconds from now by the database's clock; tell whether it is.

        It is not if another has a lease that has not expired, unless that one's token is `over`.
        """

    def renew(self, search: str) -> Stop | None:
        """Hold a search for as long again; give how it was asked to stop, or None.

        Raises `LeaseLost` if it was taken over.
        """

    def release(self, search: str) -> None:
        """Hold a search no longer, if it still was held."""

    def lease(self, search: str) -> Lease | None:
        """Give the lease of whoever holds a search, expired or not; None if nobody does."""

    def request_stop(self, search: str, stop: Stop) -> bool:
        """Ask whoever holds a search to stop; tell whether anybody does."""


def this_process() -> Holder:
    """Give this process, with a new token."""
    process_id = os.getpid()
    return Holder(secrets.token_hex(16), socket.gethostname(), process_id, _origin(process_id))


def lives(holder: Holder) -> bool | None:
    """Tell whether a process lives; None where this cannot be known, as of another machine's."""
    mine = _origin(os.getpid())
    if _place(mine) != _place(holder.origin) or holder.host != socket.gethostname():
        return None
    if mine:
        return _origin(holder.process_id) == holder.origin
    try:
        os.kill(holder.process_id, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return None  # it may be another one of the same number


def is_in_force(lease: Lease) -> bool:
    """Tell whether whoever has the lease may still be at work: known to live, or not expired."""
    alive = lives(lease.holder)
    return alive is not False and (bool(alive) or not lease.has_expired)


def _origin(process_id: int) -> str:
    """Give the machine's boot, the numbering of its processes, and when this one started.

    Numbers are given again, and two containers of one host name have each a process 1. Empty if
    there is no such process, if it is dead but not buried, or where the system is not Linux.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        numbering = Path("/proc/self/ns/pid").readlink()
        # A process has any name, brackets and blanks too: what follows the last bracket counts.
        status = Path(f"/proc/{process_id}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return ""
    state, started = status[0], status[19].decode()
    return "" if state in (b"Z", b"X") else f"{boot} {numbering} {started}"


def _place(origin: str) -> str:
    """Give what all processes of one machine, or container, have in common."""
    return origin.rpartition(" ")[0]
