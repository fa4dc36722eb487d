"""How fast the trainings of a run end, and how busy its workers are."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Moment", "Pace", "busy_share", "trainings_per_minute"]

#: The pace is that of the last minutes, so that it follows networks that grow; of as many trainings
#: at least, so that a few long ones do not make it jump; and it is noted so often at most.
_WINDOW_SECONDS, _MIN_TRAININGS, _STEP_SECONDS = 300.0, 10, 1.0


@dataclass(frozen=True, slots=True)
class Moment:
    """What a run had done at a moment.

    Attributes:
        seconds: the time, by any clock.
        n_ended: trainings that had ended, completed or failed.
        worker_seconds: of all workers together, since some moment.
        busy_seconds: of these, with a training in hand.
    """

    seconds: float
    n_ended: int
    worker_seconds: float
    busy_seconds: float


def busy_share(first: Moment, last: Moment) -> float | None:
    """Give the share of worker time that went into trainings, in [0, 1]; None for no time.

    Args:
        first: when counting began.
        last: of the same run, not earlier.
    """
    seconds = last.worker_seconds - first.worker_seconds
    return min(1.0, (last.busy_seconds - first.busy_seconds) / seconds) if seconds > 0 else None


def trainings_per_minute(moments: Sequence[Moment]) -> float | None:
    """Give how many trainings ended a minute, above 0; None while none has.

    Args:
        moments: of one run, in order; the first and the last count.
    """
    if not moments:
        return None
    first, last = moments[0], moments[-1]
    n, seconds = last.n_ended - first.n_ended, last.seconds - first.seconds
    return 60 * n / seconds if n and seconds > 0 else None


@dataclass(slots=True)
class Pace:
    """Follows a run: `note` it whenever a training starts or ends, and between.

    Counting begins with the first training; what an earlier run recorded does not count. A worker
    is busy from when a training is handed to it until its outcome is here: starting its process
    counts, waiting for the rest of a generation does not. Workers that a dead machine had, and
    nobody else has taken the place of, count as if they were there.
    """

    _n_slots: int = 0
    _n_running: int = 0
    _first: Moment | None = None
    _last: Moment | None = None
    _window: deque[Moment] = field(default_factory=deque)

    def note(self, now: float, n_running: int, n_slots: int, n_ended: int = 0) -> None:
        """Take how many trainings run now, and how many have ended since the last note.

        Args:
            now: in seconds, never earlier than before.
            n_running: with a worker.
            n_slots: trainings that can run at once now.
            n_ended: completed or failed.
        """
        before = self._last
        if before is None:
            if not n_running:
                return
            before = self._first = Moment(now, 0, 0.0, 0.0)
            self._window.append(before)
        seconds = now - before.seconds
        self._last = Moment(
            now,
            before.n_ended + n_ended,
            before.worker_seconds + self._n_slots * seconds,
            before.busy_seconds + self._n_running * seconds,
        )
        self._n_running, self._n_slots = n_running, n_slots
        if now - self._window[-1].seconds >= _STEP_SECONDS:
            self._window.append(self._last)
            while len(self._window) > 2 and self._is_enough(self._window[1]):
                self._window.popleft()

    @property
    def busy_share(self) -> float | None:
        """Share of the workers' time in trainings since the first one started, in [0, 1]."""
        if self._first is None or self._last is None:
            return None
        return busy_share(self._first, self._last)

    @property
    def trainings_per_minute(self) -> float | None:
        """Of the last five minutes, or longer if few ended in them; None while none has ended."""
        if self._last is None:
            return None
        return trainings_per_minute((self._window[0], self._last))

    def _is_enough(self, start: Moment) -> bool:
        """Tell whether a window from here on is long enough."""
        last = self._window[-1]
        return (
            last.seconds - start.seconds >= _WINDOW_SECONDS
            and last.n_ended - start.n_ended >= _MIN_TRAININGS
        )
