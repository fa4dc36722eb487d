"""The outcome of a training. A failed one has a reason; it is not an exception and not a NaN."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vlga.ports.mistakes import Mistakes

__all__ = [
    "MACHINE_FAILURES",
    "REPEATABLE_FAILURES",
    "EpochRecord",
    "Evaluation",
    "FailureReason",
    "Source",
]


class FailureReason(StrEnum):
    """Why a training gave no fitness."""

    #: It does not fit in the device's memory.
    OUT_OF_MEMORY = "out_of_memory"
    #: Its loss or weights are no longer finite.
    DIVERGED = "diverged"
    #: It ran longer than an evaluation may.
    TIMED_OUT = "timed_out"
    #: It takes longer for one image than `limits.latency_ms` allows.
    TOO_SLOW = "too_slow"
    #: Its worker process or machine died in every try.
    WORKER_LOST = "worker_lost"
    #: The network could not be built.
    BUILD = "build"
    #: Anything else; the message says what.
    ERROR = "error"


#: Failures that would happen on any machine; for others, a machine may have more memory or time.
REPEATABLE_FAILURES = (FailureReason.DIVERGED, FailureReason.BUILD)

#: Failures that are most likely no network's fault, and may not happen once the cause is mended.
MACHINE_FAILURES = (FailureReason.WORKER_LOST, FailureReason.ERROR)


class Source(StrEnum):
    """Where an outcome comes from."""

    #: The candidate was trained.
    TRAINED = "trained"
    #: An equal candidate of the same search was trained; this one does not count on the budget.
    EQUAL_CANDIDATE = "equal_candidate"
    #: Another search did an equal training. It counts on the budget as if it had been done here.
    OTHER_SEARCH = "other_search"


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """One point of a learning curve.

    Attributes:
        epoch: from 0.
        train_loss: mean cross-entropy over the epoch's training images, as they were weighed.
        train_accuracy: in [0, 1], on the (augmented) training images as they were trained on.
        validation_loss: after the epoch, or None if it was not measured.
        validation_accuracy: in [0, 1], or None.
        learning_rate: of the epoch's last step.
        seconds: wall time of the epoch, validation included.
        amplified_layers: names of the layers whose gradients were amplified.
        layer_measures: (layer, G) by which the next epoch's layers are chosen, G in [0, 1]; empty
            in epochs that were not measured.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None
    learning_rate: float
    seconds: float
    amplified_layers: tuple[str, ...] = ()
    layer_measures: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome of training one candidate: completed, or failed with a reason.

    Attributes:
        candidate_id: whose training it was.
        epochs: asked for, or had by a training whose time decides them (`TimedEpochs`).
        seed: of the training.
        fitness: on the validation images (of a final training: on the test images), in [0, 1], the
            higher the better; the accuracy, or what else the search's setting of that name says.
            None exactly if it failed.
        validation_loss: mean cross-entropy on the images that gave the fitness; None if it is not
            known or no finite number.
        reason: why it failed, or None.
        message: what happened; empty if it completed without anything special.
        n_parameters: trainable parameters of the network.
        n_macs: multiply-accumulates for one image.
        curve: one record an epoch, also of the epochs before a failure.
        train_seconds: wall time on the worker, from data to score.
        worker: host and process that trained it.
        device: such as ``cpu`` or ``NVIDIA H200``.
        peak_memory_bytes: of the device (GPU) or the process (CPU), or None if unknown.
        test_accuracy: in [0, 1], of the same trained network, if it is a final training or a study
            asks for it; else None. Final trainings recorded by earlier versions have it as their
            fitness alone, see `accuracy_on_test`.
        latency_seconds: time for one image on that device, see `workers.training.latency`; None if
            it was not measured.
        mistakes: on the test images, of a final training as it comes from its worker. The ledger
            keeps them and gives them to whoever asks for them, not with outcomes.
        training_key: equal for equal trainings, see memo.py; None if it is not known.
        source: whether the candidate was trained, or where the outcome was reused from.
    """

    candidate_id: int
    epochs: int
    seed: int
    fitness: float | None
    reason: FailureReason | None = None
    message: str = ""
    validation_loss: float | None = None
    n_parameters: int = 0
    n_macs: int = 0
    curve: tuple[EpochRecord, ...] = ()
    train_seconds: float = 0.0
    worker: str = ""
    device: str = ""
    peak_memory_bytes: int | None = None
    test_accuracy: float | None = None
    latency_seconds: float | None = None
    mistakes: Mistakes | None = None
    training_key: str | None = None
    source: Source = Source.TRAINED

    def __post_init__(self) -> None:
        if (self.fitness is None) == (self.reason is None):
            raise ValueError(
                "an evaluation must have either a fitness or a reason, "
                f"but got fitness={self.fitness!r} reason={self.reason!r}"
            )
        if self.fitness is not None and not 0 <= self.fitness <= 1:  # refuses NaN too
            raise ValueError(f"a fitness must be a number in [0, 1], but got {self.fitness!r}")

    @property
    def accuracy_on_test(self) -> float | None:
        """The accuracy that a final training has on the test images, None if it failed."""
        return self.fitness if self.test_accuracy is None else self.test_accuracy

    @property
    def completed(self) -> bool:
        """Whether it has a fitness."""
        return self.fitness is not None
