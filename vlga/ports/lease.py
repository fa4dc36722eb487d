"""Which process runs a search, by a lease, and whether that process is still alive."""

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
    """How a running search is asked to stop."""

    DRAIN = "drain"  #: after its running trainings have ended
    NOW = "now"  #: at once; running trainings are given up


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that runs a search.

    Attributes:
        token: random; used for this search and this run only.
        host: name of its machine.
        process_id: its number on that machine.
        origin: text that no other process has, not even one with the same number on a machine of
            the same name; empty if the system does not provide it.
    """

    token: str
    host: str
    process_id: int
    origin: str


@dataclass(frozen=True, slots=True)
class Lease:
    """One process's right to write to a search, until it expires or is taken over.

    Attributes:
        holder: the process.
        since: when the holder took it, aware.
        has_expired: by the database's clock.
        stop: how the holder was asked to stop, or None.
    """

    holder: Holder
    since: datetime
    has_expired: bool
    stop: Stop | None = None

    def __str__(self) -> str:
        """Describe the holder."""
        since = self.since.strftime("%Y-%m-%d %H:%M:%S %Z")
        return f"process {self.holder.process_id} on {self.holder.host!r} since {since}"


class Leases(Protocol):
    """The leases of searches; a process takes one before it writes to a search.

    A write is refused with `LeaseLost` if another process has the search's lease, or had it after
    this one. Every write with a lease renews it.

    Every method raises `SearchNotFound` for an unknown search, and other `StoreError`s.
    """

    def acquire(
        self, search: str, holder: Holder, seconds: float, *, over: str | None = None
    ) -> bool:
        """Take a search's lease for so many seconds from now, by the database's clock.

        Returns:
            False if another process has a lease that has not expired and whose token is not `over`.
        """

    def renew(self, search: str) -> Stop | None:
        """Renew the lease for the same time; give how the search was asked to stop, or None.

        Raises `LeaseLost` if it was taken over.
        """

    def release(self, search: str) -> None:
        """Give the lease back, if it was not taken over.

        A search that is entered as running then becomes interrupted, as nothing runs it any more.
        """

    def lease(self, search: str) -> Lease | None:
        """Give a search's lease, expired or not; None if there is none."""

    def request_stop(self, search: str, stop: Stop) -> bool:
        """Ask the process that holds a search to stop; False if there is no lease."""


def this_process() -> Holder:
    """Give this process, with a new token."""
    process_id = os.getpid()
    return Holder(secrets.token_hex(16), socket.gethostname(), process_id, _origin(process_id))


def lives(holder: Holder) -> bool | None:
    """Whether a process is alive; None if that is unknown, as for one on another machine."""
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
    return None  # it may be another process with the same number


def is_in_force(lease: Lease) -> bool:
    """Whether the holder may still be at work: it is known to be alive, or has not expired."""
    alive = lives(lease.holder)
    return alive is not False and (bool(alive) or not lease.has_expired)


def _origin(process_id: int) -> str:
    """Give the machine's boot, the numbering of its processes, and when this one started.

    Process numbers are reused, and two containers with the same host name both have a process 1.
    Empty if there is no such process, if it is a zombie, or if the system is not Linux.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        numbering = Path("/proc/self/ns/pid").readlink()
        # The name of a process may contain brackets and blanks: read what follows the last bracket.
        status = Path(f"/proc/{process_id}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return ""
    state, started = status[0], status[19].decode()
    return "" if state in (b"Z", b"X") else f"{boot} {numbering} {started}"


def _place(origin: str) -> str:
    """Give what all processes of one machine, or container, have in common."""
    return origin.rpartition(" ")[0]
