"""What a running search tells whoever watches it: events, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vlga.ports.candidate import Candidate, Individual
from vlga.ports.evaluation import Evaluation
from vlga.ports.lease import Stop
from vlga.ports.machines import Machines

__all__ = [
    "Ended",
    "Evaluated",
    "Event",
    "FewerFit",
    "FinalEnded",
    "FinalStarted",
    "GenerationEnded",
    "Observer",
    "Progress",
    "Recalled",
    "StopRequested",
    "Submitted",
    "Updated",
    "ignore",
    "tell_each",
]


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


@dataclass(frozen=True, slots=True)
class Updated:
    """Something changed: this is where the search stands now."""

    progress: Progress


@dataclass(frozen=True, slots=True)
class Submitted:
    """A candidate is to be trained; as many as there are slots are at a time, the oldest first."""

    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A training ended, completed or failed; or a candidate took over a known outcome."""

    candidate: Candidate
    evaluation: Evaluation


@dataclass(frozen=True, slots=True)
class Recalled:
    """An outcome was found in the ledger, where an earlier run of the search recorded it."""

    candidate: Candidate
    evaluation: Evaluation


@dataclass(frozen=True, slots=True)
class GenerationEnded:
    """A generation is complete; `record` is its entry in the strategy's logbook."""

    record: Mapping[str, Any]
    progress: Progress


@dataclass(frozen=True, slots=True)
class FewerFit:
    """The search is over, and there is time to train fewer networks longer than were to be.

    Attributes:
        n_members: that there is time for, at least 1.
        n_wanted: that were to be.
    """

    n_members: int
    n_wanted: int


@dataclass(frozen=True, slots=True)
class FinalStarted:
    """The search is over, and its winner, or a member of its committee, is being trained longer.

    Attributes:
        individual: that is trained.
        epochs: of that training.
        is_timed: whether its time decides them as they go, so that they are only expected.
        seconds: that it is expected to take, above 0, or None if nothing tells.
        number: of the member, from 1, which is the winner.
        n_members: of the committee; 1 without one.
        hides_squares: whether a square of each training image is hidden.
        early_size: side of the images in the first half of the epochs, as a share of their own.
    """

    individual: Individual
    epochs: int
    seconds: float | None = None
    number: int = 1
    n_members: int = 1
    hides_squares: bool = False
    early_size: float = 1.0
    is_timed: bool = False


@dataclass(frozen=True, slots=True)
class FinalEnded:
    """That training is over and recorded: completed, on the test images, or failed."""

    individual: Individual
    evaluation: Evaluation


@dataclass(frozen=True, slots=True)
class StopRequested:
    """Somebody asked the search to stop; it does after what runs now, or at once."""

    stop: Stop


@dataclass(frozen=True, slots=True)
class Ended:
    """The run is over, and no other event follows: ``completed | interrupted | failed``."""

    status: str


Event = (
    Updated
    | Submitted
    | Evaluated
    | Recalled
    | GenerationEnded
    | FewerFit
    | FinalStarted
    | FinalEnded
    | StopRequested
    | Ended
)

#: Is told what happens, and must neither fail nor take long.
Observer = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Watch nothing."""


def tell_each(*observers: Observer) -> Observer:
    """Give an observer that tells these, in this order."""

    def tell(event: Event) -> None:
        for observer in observers:
            observer(event)

    return tell
