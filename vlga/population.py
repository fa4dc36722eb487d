"""The values that flow through a search: candidate -> evaluation -> individual.

A `Candidate` has no fitness and an `Individual` always has one: they are different types, so that
an untrained or failed network can never be selected. A failed training is an `Evaluation` with a
reason, not an exception and not a NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from deap import base

from vlga.genetics.genome import Genome
from vlga.networks.trial import Trial

__all__ = [
    "REPEATABLE_FAILURES",
    "Candidate",
    "EpochRecord",
    "Evaluation",
    "FailureReason",
    "Fitness",
    "Individual",
    "Source",
    "best_of",
]


class FailureReason(StrEnum):
    """Why a training gave no fitness."""

    #: It does not fit the device's memory.
    OUT_OF_MEMORY = "out_of_memory"
    #: Its loss or weights are no longer finite.
    DIVERGED = "diverged"
    #: It ran longer than an evaluation may.
    TIMED_OUT = "timed_out"
    #: Its worker process or machine died, as often as it was tried.
    WORKER_LOST = "worker_lost"
    #: The network could not be built.
    BUILD = "build"
    #: Anything else; the message says what.
    ERROR = "error"


#: Failures that any machine would see again; another may have more memory, or be less busy.
REPEATABLE_FAILURES = (FailureReason.DIVERGED, FailureReason.BUILD)


class Source(StrEnum):
    """Where an outcome is from."""

    #: The candidate was trained.
    TRAINED = "trained"
    #: An equal candidate of the search was: this one cost nothing.
    EQUAL_CANDIDATE = "equal_candidate"
    #: Another search's equal training. It counts on the budget as if it had been done here.
    OTHER_SEARCH = "other_search"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A genome to evaluate.

    Attributes:
        id: its number within the search, from 0, in the order in which candidates are made.
        genome: what it is; in a study, which network it trains and how.
        fingerprint: of the network plan that the genome decodes to; equal for equal networks.
        phase: from 0; the phase that made it.
        generation: from 0 within its phase.
        parents: ids of the candidates that it was made from.
        operator: the operators that made it: ``sample``, ``grow``, ``uniform_crossover``,
            ``aligned_crossover``, ``mutate_one_gene`` or a mutation of mutations.py, joined by
            ``+`` where one follows another.
        weights_from: id of the candidate whose trained weights it inherits, or None.
    """

    id: int
    genome: Genome | Trial
    fingerprint: str
    phase: int
    generation: int
    parents: tuple[int, ...]
    operator: str
    weights_from: int | None = None


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """One point of a learning curve.

    Attributes:
        epoch: from 0.
        train_loss: mean cross-entropy over the epoch's training images.
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
        epochs: epochs asked for.
        seed: of the training.
        fitness: accuracy on the validation images (of a final training: on the test images), in
            [0, 1]; None exactly if it failed.
        reason: why it failed, or None.
        message: what happened, for a person; empty if it completed as it was asked for.
        n_parameters: trainable parameters of the network.
        n_macs: multiply-accumulates for one image.
        curve: one record an epoch, also of the epochs before a failure.
        train_seconds: wall time on the worker, from data to score.
        worker: host and process that trained it.
        device: such as ``cpu`` or ``NVIDIA H200``.
        peak_memory_bytes: of the device (GPU) or the process (CPU), or None if unknown.
        test_accuracy: in [0, 1], of the same trained network, where a study asks for it; else None.
        training_key: equal for equal trainings, see memo.py; None where it is not known.
        source: whether it was trained for, or what it was taken over from.
    """

    candidate_id: int
    epochs: int
    seed: int
    fitness: float | None
    reason: FailureReason | None = None
    message: str = ""
    n_parameters: int = 0
    n_macs: int = 0
    curve: tuple[EpochRecord, ...] = ()
    train_seconds: float = 0.0
    worker: str = ""
    device: str = ""
    peak_memory_bytes: int | None = None
    test_accuracy: float | None = None
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
    def completed(self) -> bool:
        """Whether it has a fitness."""
        return self.fitness is not None


class Fitness(base.Fitness):  # type: ignore[misc]  # DEAP has no types
    """DEAP's fitness, one objective to maximise. NaN counts as valid there: never let one in."""

    weights = (1.0,)


@dataclass(frozen=True, slots=True)
class Individual:
    """A candidate with its accuracy in [0, 1]; a population holds only these."""

    candidate: Candidate
    accuracy: float

    @property
    def id(self) -> int:
        """The candidate's number."""
        return self.candidate.id

    @property
    def genome(self) -> Genome:
        """The candidate's genome; only a study's trials have none, and they have no offspring."""
        genome = self.candidate.genome
        assert isinstance(genome, Genome)
        return genome

    @property
    def fitness(self) -> Fitness:
        """The accuracy as DEAP's selection, hall of fame and statistics read it."""
        return Fitness((self.accuracy,))


def best_of(individuals: Sequence[Individual]) -> Individual | None:
    """Give the fittest, of equals the one made first; None if there is none."""
    return max(individuals, key=lambda one: (one.accuracy, -one.id), default=None)
