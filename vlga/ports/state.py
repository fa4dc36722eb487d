"""The state of a search as it is shown: from what is wanted of it, what is stored, and who runs it.

Computed wherever it is shown, and stored nowhere: a process that is killed writes nothing any more.
"""

from __future__ import annotations

from enum import StrEnum

from vlga.ports.lease import Stop, is_in_force
from vlga.ports.queue import Watched, Wish

__all__ = ["State", "state", "state_of"]


class State(StrEnum):
    """What a search is doing."""

    QUEUED = "queued"  #: it waits for its turn
    STARTING = "starting"  #: its process reads the images, or reaches for workers
    RUNNING = "running"
    PAUSING = "pausing"  #: it finishes what is in training
    PAUSED = "paused"  #: until somebody resumes it
    STOPPING = "stopping"  #: it ends at once
    STOPPED = "stopped"  #: as paused; what was in training was given up
    LOST = "lost"  #: its process is gone; a service that is there starts it again
    FAILED = "failed"  #: it cannot go on as it is
    COMPLETED = "completed"


def state_of(watched: Watched) -> State:
    """Give a search's state now; whether its process is alive is looked up on this machine."""
    lease = watched.seen.lease
    return state(watched, is_held=lease is not None and is_in_force(lease))


def state(watched: Watched, *, is_held: bool) -> State:
    """Give a search's state.

    Args:
        watched: what is wanted and what is stored. A submission that is settled wants nothing any
            more: its search may have been begun, or resumed, by hand.
        is_held: whether its lease is in force.
    """
    submission, seen = watched.submission, watched.seen
    wanted = Wish.RUN if submission.is_settled else submission.wanted
    asked = seen.lease.stop if is_held and seen.lease is not None else None
    if is_held or watched.claimed_by is not None:
        if asked is Stop.NOW or wanted in (Wish.STOP, Wish.DELETE):
            return State.STOPPING
        if asked is Stop.DRAIN or wanted is Wish.PAUSE:
            return State.PAUSING
        return State.RUNNING if is_held and seen.status == "running" else State.STARTING
    if not submission.is_settled and wanted is Wish.RUN:
        return State.LOST if submission.n_tries and seen.status == "running" else State.QUEUED
    return _at_rest(watched)


def _at_rest(watched: Watched) -> State:
    """Give the state of a search that no process runs, and that nobody wants to run."""
    submission, status = watched.submission, watched.seen.status
    if status == "completed" and not submission.note:
        return State.COMPLETED
    if status == "failed" or (submission.wanted is Wish.RUN and submission.note):
        return State.FAILED
    if submission.wanted is Wish.PAUSE:
        return State.PAUSED
    if submission.wanted in (Wish.STOP, Wish.DELETE):
        return State.STOPPED
    return State.LOST if status == "running" else State.STOPPED
