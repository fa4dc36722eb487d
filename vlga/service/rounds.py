"""A service's rounds: each looks at every search that is not settled, and does what is due.

Any number of services may do so on one database. A claim lets one of them at a time start or settle
a search; it expires if the service is gone. A process that holds its search needs no claim: whoever
looks sees it by its lease.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from vlga.ports.lease import Holder, Stop
from vlga.ports.queue import Queue, Watched, Wish
from vlga.ports.state import state
from vlga.service.decide import (
    Ask,
    Decision,
    Delete,
    Driver,
    Leave,
    Limits,
    Settle,
    Signal,
    Start,
    decide,
)

__all__ = ["CLAIM_SECONDS", "SERVICE", "Host", "Process", "Rounds"]

#: How long a search that was being started stays reserved for a service that is gone.
CLAIM_SECONDS = 30.0
_RENEW_SECONDS = 10.0

#: Who does what nobody asked for.
SERVICE = "the service"


class Process(Protocol):
    """A process that a service has started."""

    def poll(self) -> int | None:
        """Give its exit code, or None while it is alive."""

    def signal(self, number: signal.Signals) -> None:
        """Signal it, its whole group by SIGKILL; nothing happens if it is gone."""


class Host(Protocol):
    """What a service does outside its queue."""

    def start(self, name: str) -> Process:
        """Start the process that runs a search. Raises `OSError` if that is not possible."""

    def lives(self, holder: Holder) -> bool | None:
        """Whether a process is alive; None if that cannot be seen from here."""

    def signal(self, holder: Holder, number: signal.Signals) -> None:
        """Signal a process that is alive here, whoever started it."""

    def ask(self, name: str, stop: Stop) -> None:
        """Ask who holds a search to stop, by the lease."""

    def delete(self, name: str) -> None:
        """Delete a search, its files and its submission; whatever of them there is."""


@dataclass(slots=True)
class _Asked:
    """Since when a process has been asked to end at once, and how often it got SIGTERM."""

    since: float
    n_terms: int = 0


class Rounds:
    """Call it once a second.

    Args:
        queue: of the database.
        host: of this service.
        name: of this service; no other may have it.
        n_searches: that may run here at a time.
        clock: seconds, never fewer than before.
    """

    def __init__(
        self,
        queue: Queue,
        host: Host,
        *,
        name: str,
        n_searches: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._host = host
        self._name = name
        self._n_searches = n_searches
        self._clock = clock
        self._processes: dict[str, Process] = {}
        self._claimed: dict[str, float] = {}
        self._asked: dict[str, _Asked] = {}

    def __call__(self) -> None:
        """Look at every search that is not settled, and do what is due.

        Raises:
            StoreError: the database cannot be used; what was not done is done in the next round.
        """
        codes = self._poll()  # before looking: what an ended process wrote is seen then
        unsettled = self._queue.unsettled()
        self._forget({one.submission.name for one in unsettled}, codes)
        now = self._queue.now()
        looked = [(one, self._look(one, codes)) for one in unsettled]
        n_here = sum(driver.is_here for _, driver in looked)
        for watched, driver in looked:
            limits = Limits(has_room=n_here < self._n_searches)
            name = watched.submission.name
            decision = self._decide(watched, driver, now, limits)
            try:
                if isinstance(decision, Start | Settle | Delete):
                    n_here += self._do_surely(name, codes, now, limits)
                else:
                    self._do(watched, decision)
            except OSError as error:  # one search's: the others go on
                self._note_trouble(name, error)
            self._mind_claim(name, is_held=driver.is_holding)

    def stop_all(self) -> bool:
        """Ask every search that runs here to end, first by its lease and then by signals.

        For the end of a service whose processes cannot outlive it. Call it once a second; what is
        wanted of the searches stays as it is, so that another service goes on with them.

        Returns:
            Whether none runs here any more.
        """
        codes, n_here = self._poll(), 0
        for watched in self._queue.unsettled():
            stopped = replace(watched, submission=replace(watched.submission, wanted=Wish.STOP))
            driver = self._look(stopped, codes)
            if driver.is_here:
                n_here += 1
                self._do(stopped, decide(stopped, driver, 0.0, Limits()))
        return not n_here

    def _poll(self) -> dict[str, int | None]:
        return {name: process.poll() for name, process in self._processes.items()}

    def _forget(self, unsettled: set[str], codes: dict[str, int | None]) -> None:
        """Forget processes that have ended, of searches of which nothing is wanted any more."""
        for name in self._processes.keys() - unsettled:
            if codes[name] is not None:
                del self._processes[name]
        for known in (self._claimed, self._asked):
            for name in known.keys() - unsettled:
                del known[name]

    def _look(self, watched: Watched, codes: dict[str, int | None]) -> Driver:
        """Give what is known of the process that runs a search."""
        name, lease = watched.submission.name, watched.seen.lease
        code, is_mine = codes.get(name), name in codes and codes[name] is None
        alive = False if lease is None else self._host.lives(lease.holder)
        is_holding = lease is not None and (alive or (alive is None and not lease.has_expired))
        driver = Driver(
            is_starting=is_mine and not is_holding,
            is_holding=is_holding,
            is_here=is_mine or alive is True,
            exit_code=code,
        )
        if not driver.is_alive or watched.submission.wanted not in (Wish.STOP, Wish.DELETE):
            self._asked.pop(name, None)
            return driver
        asked = self._asked.setdefault(name, _Asked(self._clock()))
        return replace(driver, asked_seconds=self._clock() - asked.since, n_terms=asked.n_terms)

    def _decide(self, watched: Watched, driver: Driver, now: float, limits: Limits) -> Decision:
        if watched.claimed_by == self._name:
            watched = replace(watched, claimed_by=None)
        return decide(watched, driver, now, limits)

    def _do_surely(
        self, name: str, codes: dict[str, int | None], now: float, limits: Limits
    ) -> bool:
        """Start, settle or delete a search, unless another service has; tell whether it started.

        Decided again once it is claimed: what was seen before may be what was.
        """
        if not self._queue.claim(name, self._name, CLAIM_SECONDS):
            return False
        self._claimed[name] = self._clock()
        watched = self._queue.find(name)
        driver = self._look(watched, codes)
        if watched.submission.is_settled or driver.is_alive:
            return False
        match self._decide(watched, driver, now, limits):
            case Start(n_tries, next_try):
                return self._start(watched, n_tries, next_try)
            case Settle(note):
                self._settle(watched, note)
            case Delete():
                self._host.delete(name)
                self._queue.act(SERVICE, "deleted", name)
                self._processes.pop(name, None)
        return False

    def _do(self, watched: Watched, decision: Decision) -> None:
        """Ask or signal a process."""
        name = watched.submission.name
        match decision:
            case Ask(stop):
                self._host.ask(name, stop)
            case Signal(number):
                if number is signal.SIGTERM:
                    self._asked[name].n_terms += 1
                process, lease = self._processes.get(name), watched.seen.lease
                if process is not None and process.poll() is None:
                    process.signal(number)
                elif lease is not None:
                    self._host.signal(lease.holder, number)
            case Leave():
                pass

    def _start(self, watched: Watched, n_tries: int, next_try: float) -> bool:
        submission = watched.submission
        if not self._queue.note(
            submission,
            n_tries=n_tries,
            next_try=next_try,
            n_outcomes=watched.seen.n_outcomes,
            note="",
        ):
            return False  # something else is wanted now
        name = submission.name
        self._processes[name] = self._host.start(name)
        self._queue.act(SERVICE, "started", name, "" if n_tries == 1 else f"run {n_tries}")
        return True

    def _settle(self, watched: Watched, note: str) -> None:
        submission = watched.submission
        if self._queue.note(submission, is_settled=True, note=note):
            settled = replace(submission, is_settled=True, note=note)
            ended_as = state(replace(watched, submission=settled, claimed_by=None), is_held=False)
            detail = f"{ended_as}: {note}" if note else str(ended_as)
            self._queue.act(SERVICE, "ended", submission.name, detail)
            self._processes.pop(submission.name, None)

    def _note_trouble(self, name: str, error: OSError) -> None:
        """Say why a process could not be started: that was a try."""
        submission = self._queue.find(name).submission
        self._queue.note(submission, note=f"its process cannot be started: {error}")

    def _mind_claim(self, name: str, *, is_held: bool) -> None:
        """Keep a search reserved while its process starts, and no longer."""
        process, now = self._processes.get(name), self._clock()
        if process is not None and process.poll() is None and not is_held:
            if now - self._claimed.get(name, now - _RENEW_SECONDS) >= _RENEW_SECONDS:
                self._queue.claim(name, self._name, CLAIM_SECONDS)
                self._claimed[name] = now
        elif self._claimed.pop(name, None) is not None:
            self._queue.unclaim(name, self._name)
