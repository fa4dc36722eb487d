"""What a running search tells whoever watches it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from vlga.ports.candidate import Candidate, Individual
from vlga.ports.evaluation import Evaluation
from vlga.ports.machines import Machines

__all__ = ["Observer", "Observers", "Progress", "SilentObserver"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a search stands.

    Attributes:
        phase: that is being searched, from 0.
        generation: within the phase, from 0.
        n_completed: trainings that gave a fitness.
        n_failed: trainings that failed.
        n_reused: candidates that took over the outcome of an equal one.
        n_running: trainings going on.
        n_slots: trainings that can go on at once.
        machines: where they can.
        best: the fittest individual so far, or None.
        elapsed_seconds: since the search began, earlier runs of it included.
        done_fraction: of the tightest budget, in [0, 1], or None if nothing limits the search.
        seconds_left: until the budget ends it, if nothing does before; None if that is not known.
        trainings_per_minute: that ended in the last minutes of this run, completed or failed, above
            0; None while none has.
        busy_share: of the workers' time in this run that went into trainings, in [0, 1] (pace.py);
            None while none has started.
    """

    phase: int
    generation: int
    n_completed: int
    n_failed: int
    n_reused: int
    n_running: int
    n_slots: int
    machines: Machines
    best: Individual | None
    elapsed_seconds: float
    done_fraction: float | None
    seconds_left: float | None
    trainings_per_minute: float | None
    busy_share: float | None


class Observer(Protocol):
    """Is told what happens, and must neither fail nor take long."""

    def updated(self, progress: Progress) -> None:
        """Something changed."""

    def evaluated(self, candidate: Candidate, evaluation: Evaluation) -> None:
        """A training ended, completed or failed; or a candidate took an outcome over."""

    def recalled(self, candidate: Candidate, evaluation: Evaluation) -> None:
        """An outcome was found in the ledger, where an earlier run of the search recorded it."""

    def generation_ended(self, record: Mapping[str, Any], progress: Progress) -> None:
        """A generation is complete; `record` is the strategy's logbook entry."""

    def final_started(self, winner: Individual, epochs: int) -> None:
        """The search is over and its winner is being trained longer."""


class SilentObserver:
    """An `Observer` that does nothing; those that care for little inherit the rest from it."""

    def updated(self, progress: Progress) -> None:
        """Ignore it."""

    def evaluated(self, candidate: Candidate, evaluation: Evaluation) -> None:
        """Ignore it."""

    def recalled(self, candidate: Candidate, evaluation: Evaluation) -> None:
        """Ignore it."""

    def generation_ended(self, record: Mapping[str, Any], progress: Progress) -> None:
        """Ignore it."""

    def final_started(self, winner: Individual, epochs: int) -> None:
        """Ignore it."""

    def close(self) -> None:
        """Do nothing."""


class Observers:
    """An `Observer` that tells others, in the order in which they are given."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def updated(self, progress: Progress) -> None:
        """Tell all."""
        for one in self._observers:
            one.updated(progress)

    def evaluated(self, candidate: Candidate, evaluation: Evaluation) -> None:
        """Tell all."""
        for one in self._observers:
            one.evaluated(candidate, evaluation)

    def recalled(self, candidate: Candidate, evaluation: Evaluation) -> None:
        """Tell all."""
        for one in self._observers:
            one.recalled(candidate, evaluation)

    def generation_ended(self, record: Mapping[str, Any], progress: Progress) -> None:
        """Tell all."""
        for one in self._observers:
            one.generation_ended(record, progress)

    def final_started(self, winner: Individual, epochs: int) -> None:
        """Tell all."""
        for one in self._observers:
            one.final_started(winner, epochs)
