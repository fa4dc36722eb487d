"""What to do about a search: a pure function of what is wanted, what is so, and the time.

Asked for every search that is not settled, once a second. It remembers nothing: what has been done
already it sees in the submission, so that a service may be killed at any moment, and another goes
on.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass

from vlga.ports.lease import Stop
from vlga.ports.queue import Submission, Watched, Wish

__all__ = [
    "Ask",
    "Decision",
    "Delete",
    "Driver",
    "Leave",
    "Limits",
    "Settle",
    "Signal",
    "Start",
    "decide",
]


@dataclass(frozen=True, slots=True)
class Driver:
    """What a service knows of the process that runs a search.

    Attributes:
        is_starting: this service has started one that does not hold the search yet.
        is_holding: one holds the search, whoever started it, here or elsewhere: its lease is in
            force.
        is_here: it can be signalled from here.
        exit_code: of this service's process, which has ended; negative for a signal. None if there
            is none, as for one that an earlier service started.
        asked_seconds: since it was asked to end at once.
        n_terms: how often SIGTERM was sent since.
    """

    is_starting: bool = False
    is_holding: bool = False
    is_here: bool = False
    exit_code: int | None = None
    asked_seconds: float = 0.0
    n_terms: int = 0

    @property
    def is_alive(self) -> bool:
        """Whether there is one."""
        return self.is_starting or self.is_holding


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a service goes.

    Attributes:
        has_room: whether it may start another search now.
        max_tries: runs without a new outcome after which a search has failed.
        first_wait: seconds from the first run of a search to the next, if it ends at once; after
            each further one twice as many.
        longest_wait: seconds, at most.
        term_seconds: after which a process that was asked to end at once gets SIGTERM; a second one
            follows, since the first lets it finish what is in training.
        second_term_seconds: after which it gets that.
        kill_seconds: after which it is killed, with its group.
    """

    has_room: bool = True
    max_tries: int = 5
    first_wait: float = 10.0
    longest_wait: float = 600.0
    term_seconds: float = 10.0
    second_term_seconds: float = 12.0
    kill_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Leave:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Start:
    """Start a process.

    Attributes:
        n_tries: that the submission has had then.
        next_try: before which there is no other, in seconds since 1970, unless this one has an
            outcome.
    """

    n_tries: int
    next_try: float


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the process to end, by the lease."""

    stop: Stop


@dataclass(frozen=True, slots=True)
class Signal:
    """Send a signal to the process; SIGKILL to its whole group."""

    number: signal.Signals


@dataclass(frozen=True, slots=True)
class Settle:
    """Nothing is left to do; `note` says why the search failed, and is empty if it did not."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the search, its files and its submission."""


Decision = Leave | Start | Ask | Signal | Settle | Delete


def decide(watched: Watched, driver: Driver, now: float, limits: Limits) -> Decision:
    """Give what to do about a search that is not settled.

    Args:
        watched: what is wanted and what is stored. A claim of another service means that it starts
            the search just now; one's own must be left out.
        driver: the process that runs it.
        now: in seconds since 1970, by the database's clock.
        limits: of this service.
    """
    wanted = watched.submission.wanted
    if driver.is_alive:
        return _end(watched, driver, limits) if wanted is not Wish.RUN else Leave()
    if watched.claimed_by is not None:
        return Leave()
    if wanted is Wish.RUN:
        return _run(watched, driver, now, limits)
    return Delete() if wanted is Wish.DELETE else Settle()


def _end(watched: Watched, driver: Driver, limits: Limits) -> Decision:
    """Make a process end in the way that is wanted."""
    if watched.submission.wanted is Wish.PAUSE:
        return _ask(watched, driver, Stop.DRAIN)
    return _force(driver, limits) or _ask(watched, driver, Stop.NOW)


def _ask(watched: Watched, driver: Driver, stop: Stop) -> Decision:
    """Ask for as long as the lease does not say so: it is emptied when it is taken."""
    lease = watched.seen.lease
    if not driver.is_holding or lease is None or lease.stop in (stop, Stop.NOW):
        return Leave()
    return Ask(stop)


def _force(driver: Driver, limits: Limits) -> Signal | None:
    """Signal a process that does not end: one that trains by itself hears no request meanwhile."""
    if not driver.is_here:
        return None
    asked = driver.asked_seconds
    if asked >= limits.kill_seconds:
        return Signal(signal.SIGKILL)
    n_due = (asked >= limits.term_seconds) + (asked >= limits.second_term_seconds)
    return Signal(signal.SIGTERM) if driver.n_terms < n_due else None


def _run(watched: Watched, driver: Driver, now: float, limits: Limits) -> Decision:
    """Start what is to run and does not, unless it is done, or cannot go on."""
    submission, seen = watched.submission, watched.seen
    n_tries = 0 if seen.n_outcomes > submission.n_outcomes else submission.n_tries
    if submission.n_tries:
        if seen.status == "completed" and not submission.changes:
            return Settle()
        has_failed = seen.status == "failed" and driver.exit_code in (None, 1)
        if driver.exit_code == 2 or has_failed:
            return Settle(_reason(submission, driver))
        if n_tries >= limits.max_tries:
            said = submission.note and f": {submission.note}"
            return Settle(f"given up after {n_tries} runs without a new outcome{said}")
    if not limits.has_room or (n_tries and now < submission.next_try):
        return Leave()
    wait = min(limits.longest_wait, limits.first_wait * 2**n_tries)
    return Start(n_tries + 1, now + wait)


def _reason(submission: Submission, driver: Driver) -> str:
    """Give what the process has said of its failure, if it could."""
    code = "" if driver.exit_code is None else f" with exit code {driver.exit_code}"
    return submission.note or f"its process ended{code}; its log says why"
