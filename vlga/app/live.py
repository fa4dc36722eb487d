"""Where a running search stands, written to its database for whoever watches it from elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from db.store import SqlStore
from vlga.errors import StoreError
from vlga.ports.observer import (
    Ended,
    Evaluated,
    Event,
    FinalEnded,
    FinalStarted,
    Progress,
    Submitted,
    Updated,
)

__all__ = ["ProgressWriter"]

#: Between two writes at least: a second, and so long that they take a twentieth of the time.
_SECONDS, _COST = 1.0, 20
#: Running trainings that are told one by one.
_MAX_RUNNING = 200


class ProgressWriter:
    """An `Observer` that writes at most once a second, and never fails: the next write makes it up.

    What is written is for `db.read.progress.read_progress`.

    Args:
        name: of the search; what an earlier run of it has written is deleted.
        store: that holds the search.
        clock: seconds, never fewer than before.
    """

    def __init__(
        self, name: str, store: SqlStore, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name = name
        self._store = store
        self._clock = clock
        self._due = 0.0
        self._waiting: dict[int, None] = {}  # submitted, and without a slot as far as is known
        self._running: dict[int, float] = {}  # since when
        self._n_slots = 1
        self._progress: Progress | None = None
        self._finals: dict[int, FinalStarted] = {}  # longer trainings that run, the first in front
        self._write(None)

    def __call__(self, event: Event) -> None:
        """Keep what was told; write it if it is time."""
        match event:
            case Submitted(candidate):
                self._waiting[candidate.id] = None
                self._fill()
            case Evaluated(candidate, _):
                if self._running.pop(candidate.id, None) is not None:
                    self._fill()
                self._waiting.pop(candidate.id, None)
            case Updated(progress):
                self._progress, self._n_slots = progress, progress.n_slots
                self._fill()
                if self._clock() >= self._due:
                    self._write(self._body())
            case FinalStarted():
                self._finals[event.individual.id] = event
                self._write(self._body())
            case FinalEnded():
                self._finals.pop(event.individual.id, None)
                if self._finals:
                    self._write(self._body())
            case Ended():
                self._write(None)

    def _fill(self) -> None:
        """Take those that wait as running, while there are slots: the oldest first."""
        while self._waiting and len(self._running) < self._n_slots:
            number = next(iter(self._waiting))
            del self._waiting[number]
            self._running[number] = self._clock()

    def _body(self) -> dict[str, Any] | None:
        """Give what is written; times as seconds before that."""
        final = next(iter(self._finals.values()), None)
        progress, now = self._progress, self._clock()
        if progress is None:
            return None
        best = progress.best
        fields = {name: getattr(progress, name) for name in Progress.__slots__}
        return {
            **fields,
            "machines": asdict(progress.machines),
            "best": best and {"id": best.id, "fitness": best.accuracy},
            "running": [
                {"id": number, "seconds": round(now - since, 3)}
                for number, since in [*self._running.items()][
                    : min(progress.n_running, _MAX_RUNNING)
                ]
            ],
            "final": final
            and {
                "id": final.individual.id,
                **{
                    key: getattr(final, key) for key in ("epochs", "seconds", "number", "n_members")
                },
            },
        }

    def _write(self, body: dict[str, Any] | None) -> None:
        began = time.perf_counter()
        with suppress(StoreError):  # it is told again, or not needed
            self._store.note_progress(self._name, body)
        self._due = self._clock() + max(_SECONDS, _COST * (time.perf_counter() - began))
