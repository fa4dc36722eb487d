"""Waiting for a database that does not answer: a server that restarts, a lock held by another.

A call that fails so is repeated, with growing pauses, until the database answers or the time is
over. Writes stay in order because the caller waits. A connection may break after the server has
committed and before it has said so; every call that waits must therefore be safe to repeat. A call
that adds rows asks `Patience.is_repeated`, and recognizes its own rows by `Patience.moment`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Protocol, TypeVar, cast

from vlga.errors import StoreUnavailable

__all__ = ["Patience", "waits"]

logger = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0  # seconds

_Result = TypeVar("_Result")
_Method = TypeVar("_Method", bound=Callable[..., Any])


class Patience:
    """How long calls wait for a database that does not answer: by default not at all.

    After waiting in vain, or Ctrl-C, no call waits any more until the database has answered again,
    so that what would be saved at the end of a search fails at once.

    Attributes:
        moment: when the current call was made, aware; the same in every try.
        is_repeated: whether an earlier try of it may have been committed.
    """

    def __init__(
        self,
        seconds: float = 0.0,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Wait for so many seconds at most; the log says when waiting begins and when it ends."""
        self.moment = datetime.now(UTC)
        self.is_repeated = False
        self._seconds = seconds
        self._clock = clock
        self._sleep = sleep
        self._given_up = ""  # how, once it was

    def run(self, call: Callable[[], _Result]) -> _Result:
        """Make a call, and repeat it while the database does not answer.

        Raises:
            StoreUnavailable: it did not answer in time, or Ctrl-C was pressed while waiting.
        """
        self.moment, self.is_repeated = datetime.now(UTC), False
        try:
            result = call()
        except StoreUnavailable as error:
            if not self._seconds:
                raise
            if self._given_up:
                raise self._exhausted(error) from error
            result = self._wait(call, error)
        self._given_up = ""
        return result

    def _wait(self, call: Callable[[], _Result], error: StoreUnavailable) -> _Result:
        """Make a call again until it succeeds."""
        logger.warning("%s; waiting for it, for at most %g s", error, self._seconds)
        self.is_repeated = True
        began = self._clock()
        try:
            for pause in _pauses():
                if self._clock() + pause - began > self._seconds:
                    self._given_up = f"given up after {self._seconds:g} s"
                    break
                self._sleep(pause)
                try:
                    result = call()
                except StoreUnavailable as again:
                    error = again
                else:
                    waited = self._clock() - began
                    logger.info("the database answers again after %.1f s; going on", waited)
                    return result
        except KeyboardInterrupt:
            # Not as after any other Ctrl-C: what this call was to save is not saved.
            self._given_up = "given up by Ctrl-C"
        raise self._exhausted(error) from error

    def _exhausted(self, error: StoreUnavailable) -> StoreUnavailable:
        return StoreUnavailable(f"{error}; {self._given_up}")


class _Patient(Protocol):
    patience: Patience


def waits(method: _Method) -> _Method:
    """Let a method that is safe to repeat wait for the database, by its object's `patience`."""

    @wraps(method)
    def call(self: _Patient, *args: Any, **kwargs: Any) -> Any:
        return self.patience.run(lambda: method(self, *args, **kwargs))

    return cast("_Method", call)


def _pauses() -> Iterator[float]:
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(2 * pause, _LONGEST_PAUSE)
