"""The state of a search as people see it: what is wanted of it and what is so, in one word."""

from __future__ import annotations

from vlga.ports.lease import Lease, Stop, is_in_force
from vlga.ports.queue import Submission, Watched, Wish

__all__ = ["STATES", "state_of"]

#: Every state, in the order in which a search may come through them.
STATES = (
    "queued",  # waits for a free place, or to be tried again
    "starting",  # its process reads the images, or starts its workers
    "running",
    "pausing",  # ends after the running trainings
    "paused",
    "stopping",  # ends at once; also before it is deleted
    "stopped",
    "lost",  # its process is gone without a word
    "failed",
    "completed",
)


def state_of(watched: Watched) -> str:
    """Give the state of a search, one of `STATES`."""
    wanted, seen = watched.submission, watched.seen
    if seen.lease is not None and is_in_force(seen.lease):
        return _held(wanted.wanted, seen.status, seen.lease)
    if wanted.wanted is Wish.DELETE and not wanted.is_settled:
        return "stopping"
    if wanted.wanted is Wish.RUN and not wanted.is_settled:
        return _waiting(wanted, seen.status, watched.claimed_by)
    return _resting(wanted.wanted, seen.status)


def _held(wish: Wish, status: str | None, lease: Lease) -> str:
    """Give the state of a search that a process holds."""
    if wish in (Wish.STOP, Wish.DELETE) or lease.stop is Stop.NOW:
        return "stopping"
    if wish is Wish.PAUSE or lease.stop is Stop.DRAIN:
        return "pausing"
    return "running" if status == "running" else "starting"


def _waiting(wanted: Submission, status: str | None, claimed_by: str | None) -> str:
    """Give the state of a search that is to run and that no process holds."""
    if claimed_by is not None:
        return "starting"
    return "lost" if status == "running" and wanted.n_tries else "queued"


def _resting(wish: Wish, status: str | None) -> str:
    """Give the state of a search that nobody runs, nor is going to."""
    if status in ("completed", "failed"):
        return status
    if wish in (Wish.PAUSE, Wish.STOP):
        return "paused" if wish is Wish.PAUSE else "stopped"
    return {"running": "lost", "interrupted": "stopped"}.get(status or "", "failed")
