"""The state of a search as it is shown: from what is wanted of it, what is stored, and who runs it.

Computed wherever it is shown, and stored nowhere: a process that is killed writes nothing any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from vlga.ports.lease import Stop, is_in_force
from vlga.ports.queue import Watched, Wish

__all__ = ["UNDER_WAY", "State", "queue_places", "state", "state_of"]


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


#: Of a search whose process is at work.
UNDER_WAY = (State.RUNNING, State.PAUSING, State.STOPPING)


def state_of(watched: Watched) -> State:
    """Give a search's state now; whether its process is alive is looked up on this machine."""
    lease = watched.seen.lease
    return state(watched, is_held=lease is not None and is_in_force(lease))


def queue_places(unsettled: Sequence[Watched]) -> dict[str, int]:
    """Give the place of each search that waits for its turn, by name: 1 for who starts next.

    Args:
        unsettled: as `vlga.ports.queue.Queue.unsettled` gives them.
    """
    waiting = [one.submission.name for one in unsettled if state_of(one) is State.QUEUED]
    return {name: place for place, name in enumerate(waiting, start=1)}


def state(watched: Watched, *, is_held: bool) -> State:
    """Give a search's state.

    Args:
        watched: what is wanted and what is stored. A submission that is settled wants nothing any
            more: its search may have been begun, or resumed, by hand.
        is_held: whether its lease is in force.
    """
    submission = watched.submission
    is_claimed = watched.claimed_by is not None and not submission.is_settled
    if is_held or is_claimed:
        return _at_work(watched, is_held=is_held)
    if submission.is_settled or submission.wanted is not Wish.RUN:
        return _at_rest(watched)
    if _is_done(watched):
        return State.COMPLETED
    of_last_run = {"running": State.LOST, "failed": State.FAILED} if submission.n_tries else {}
    return of_last_run.get(watched.seen.status or "", State.QUEUED)


def _is_done(watched: Watched) -> bool:
    """Whether it is completed, and no change makes it go on."""
    return watched.seen.status == "completed" and not watched.submission.changes


def _at_work(watched: Watched, *, is_held: bool) -> State:
    """Give the state of a search that a process runs, or that a service is starting."""
    submission, lease = watched.submission, watched.seen.lease
    wanted = Wish.RUN if submission.is_settled else submission.wanted
    asked = lease.stop if is_held and lease is not None else None
    if asked is Stop.NOW or wanted in (Wish.STOP, Wish.DELETE):
        return State.STOPPING
    if asked is Stop.DRAIN or wanted is Wish.PAUSE:
        return State.PAUSING
    if _is_done(watched):
        return State.COMPLETED  # and its process lets go of it in a moment
    return State.RUNNING if is_held and watched.seen.status == "running" else State.STARTING


def _at_rest(watched: Watched) -> State:
    """Give the state of a search that no process runs, and that nobody wants to run."""
    submission, status = watched.submission, watched.seen.status
    if status == "completed":
        return State.COMPLETED
    if status == "failed" or (submission.wanted is Wish.RUN and submission.note):
        return State.FAILED
    if submission.wanted is Wish.PAUSE:
        return State.PAUSED
    if submission.wanted in (Wish.STOP, Wish.DELETE):
        return State.STOPPED
    return State.LOST if status == "running" else State.STOPPED
