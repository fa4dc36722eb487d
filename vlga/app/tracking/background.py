"""A thread that tells a tool of trainings, so that no search waits for it or fails with it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

from vlga.app.tracking.runs import TrackedRun, run_of
from vlga.ports.observer import Ended, Event

__all__ = ["Tracker"]

logger = logging.getLogger(__name__)

#: How long a search waits at its end until a tool has heard everything.
_SECONDS_TO_LEAVE = 10.0


class Tracker:
    """An observer that hands the trainings of a search to a tool.

    If the tool fails once, that is said, and it is told no more.

    Args:
        tool: its name, for what is said.
        write: tells it of a training; is called in one other thread.
    """

    def __init__(self, tool: str, write: Callable[[TrackedRun], object]) -> None:
        self._tool = tool
        self._write = write
        self._runs: SimpleQueue[TrackedRun | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=tool, daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """Take an event; at the end of the search wait until all is told, or for ten seconds."""
        run = run_of(event)
        if run is not None:
            self._runs.put(run)
        elif isinstance(event, Ended):
            self._runs.put(None)
            self._thread.join(_SECONDS_TO_LEAVE)
            if self._thread.is_alive():
                logger.warning("%s takes too long; it does not have the last trainings", self._tool)

    def _work(self) -> None:
        has_failed = False
        while (run := self._runs.get()) is not None:
            if has_failed:
                continue
            try:
                self._write(run)
            except Exception as error:  # noqa: BLE001  # tools fail in ways of their own
                has_failed = True
                reason = " ".join(str(error).split()) or type(error).__name__
                logger.warning("%s is told no more, as it failed: %s", self._tool, reason)
