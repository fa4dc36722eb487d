"""The evaluator: trains candidates somewhere, several at a time.

Every implementation, the fakes of the tests included, runs its contract tests (tests/contracts/).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from vlga.config.fitness import FitnessName
from vlga.config.training import TrainingConfig
from vlga.networks.phenotype import Plan
from vlga.ports.evaluation import Evaluation, FailureReason
from vlga.ports.machines import Machines

__all__ = [
    "ALL_BLOCKS",
    "EvaluationTask",
    "Evaluator",
    "Layers",
    "Member",
    "TimedEpochs",
    "Trained",
    "Weights",
    "worthwhile_threads",
]


@dataclass(frozen=True, slots=True)
class Weights:
    """Trained weights as the bytes of a file (``torch.save`` of a state dictionary).

    Attributes:
        candidate_id: the candidate that was trained.
        data: the file's contents.
    """

    candidate_id: int
    data: bytes


#: Which layers inherit from which: pairs of (own name, the other network's name), each standing
#: for all layers inside.
Layers = tuple[tuple[str, str], ...]


#: Every block from the block of the same name, and no classifier: Xiao et al. 2020, figure 7.
ALL_BLOCKS: Layers = (("stem", "stem"), ("blocks", "blocks"))


#: Multiply-accumulates of a step's forward pass for which a CPU thread is worth its while. Measured
#: on two cores, batches of 64: a second thread made steps of 19 million 1.3 times as fast, of 110
#: million 1.5 times, of 370 million 1.7 times (tests/benchmarks/results/threads.txt).
_MACS_PER_THREAD = 2**23


def worthwhile_threads(n_macs: int, batch_size: int, n_threads: int) -> int:
    """Give how many CPU threads a training should use: at least 1, at most those that it may.

    Args:
        n_macs: of the network for one image.
        batch_size: images in a step.
        n_threads: that it may use, at least 1.
    """
    return max(1, min(n_threads, n_macs * batch_size // _MACS_PER_THREAD))


@dataclass(frozen=True, slots=True)
class Member:
    """A trained network of a committee.

    Attributes:
        plan: of the network.
        weights: trained, with the normalization of its images.
    """

    plan: Plan
    weights: Weights


@dataclass(frozen=True, slots=True)
class TimedEpochs:
    """A training has as many epochs as fit a time, by how long they turn out to take.

    Attributes:
        seconds: of all its epochs and of the scores after them.
        fewest: epochs at least, however long they take; at least 1.
        most: epochs at most.
        early_cost: what one of the first half takes, expected as a share of one of the second.
        n_scores: times that there are scores after them: 1 for its own, and more for what it leaves
            its committee's.
    """

    seconds: float
    fewest: int
    most: int
    early_cost: float = 1.0
    n_scores: float = 1.0


@dataclass(frozen=True, slots=True)
class EvaluationTask:
    """One training to do, self-contained: a worker needs this, the data set and nothing else.

    Attributes:
        candidate_id: whose training it is.
        plan: the network and its training.
        training: epochs, batch size, schedule, augmentation.
        seed: of this training: initial weights, order, augmentation, choice of amplified layers.
        weights: trained weights to inherit, or None.
        inherited_layers: which layers inherit them, from which layers of theirs.
        is_final: train on training and validation images together and score on the test images.
        n_together: final trainings that share the machines, this one included.
        timed: what decides the number of epochs; those of `training` are then the expected ones.
            None: they are the number.
        cutout: share of each image's side that a square hidden in training has; 0: none is.
        early_size: side of the images in the first half of the epochs, as a share of their own.
        average_mirrored: whether the network answers with the mean for an image and for its mirror
            image, if it is trained on mirrored ones.
        keep_weights: whether the outcome may carry the trained weights.
        kept_from: fitness from which on it does; nobody would inherit those of a worse one.
        seconds: time allowed, or None.
        measure_latency: whether to measure how long it takes for one image, before it is trained.
        latency_ms: how long that may be, or None; a network that takes longer is not trained.
        score_test: whether the trained network is scored on the test images too, as in a study.
        fitness: what the outcome has as such.
        members: of a committee, if nothing is to be trained but the mean of their probabilities to
            be scored on the test images. The outcome has no epochs, and their parameters and
            multiply-accumulates together; the plan is that of the largest.
    """

    candidate_id: int
    plan: Plan
    training: TrainingConfig
    seed: int
    weights: Weights | None = None
    inherited_layers: Layers = ALL_BLOCKS
    is_final: bool = False
    n_together: int = 1
    timed: TimedEpochs | None = None
    cutout: float = 0.0
    early_size: float = 1.0
    average_mirrored: bool = False
    keep_weights: bool = False
    kept_from: float = 0.0
    seconds: float | None = None
    measure_latency: bool = False
    latency_ms: float | None = None
    score_test: bool = False
    fitness: FitnessName = "accuracy"
    members: tuple[Member, ...] = ()

    @property
    def epochs(self) -> int:
        """Epochs of training; 0 of a committee, which is trained already."""
        return 0 if self.members else self.training.epochs

    @property
    def n_parameters(self) -> int:
        """Trainable parameters, of all members together."""
        return sum(plan.n_parameters for plan in self._plans)

    @property
    def n_macs(self) -> int:
        """Multiply-accumulates for one image, of all members together."""
        return sum(plan.n_macs for plan in self._plans)

    @property
    def _plans(self) -> tuple[Plan, ...]:
        return tuple(one.plan for one in self.members) or (self.plan,)

    def keeps_weights_of(self, fitness: float | None) -> bool:
        """Tell whether an outcome of this fitness, None if it failed, carries the weights."""
        return self.keep_weights and fitness is not None and fitness >= self.kept_from

    def failed(self, reason: FailureReason, message: str) -> Evaluation:
        """Give the outcome of a task of which nothing else is known."""
        return Evaluation(
            candidate_id=self.candidate_id,
            epochs=self.epochs,
            seed=self.seed,
            fitness=None,
            reason=reason,
            message=message,
            n_parameters=self.n_parameters,
            n_macs=self.n_macs,
        )


@dataclass(frozen=True, slots=True)
class Trained:
    """The result of one task.

    Attributes:
        evaluation: the outcome, completed or failed.
        weights: trained, if the task says so of its fitness; else None.
    """

    evaluation: Evaluation
    weights: Weights | None = None


class Evaluator(Protocol):
    """Trains candidates somewhere, several at a time.

    `submit` never blocks. `wait` gives every submitted task exactly once, completed or failed, in
    the order in which trainings end. A task whose worker dies has `FailureReason.WORKER_LOST`;
    `workers.evaluators.patient` tries it again first. If all workers are gone for good, `submit`
    and `wait` raise `EvaluatorLost`; the other methods raise nothing.
    """

    @property
    def n_slots(self) -> int:
        """How many tasks can run at once, at least 1."""

    @property
    def machines(self) -> Machines:
        """Where tasks can run now, which may change; cheap enough to ask after every task."""

    def submit(self, task: EvaluationTask) -> None:
        """Start a task as soon as there is room."""

    def wait(self, timeout_seconds: float | None = None) -> Sequence[Trained]:
        """Give what has ended, at least one if any task is out; empty if time runs out first."""

    def drain(self) -> Sequence[int]:
        """Give up every task that has not started; give the ids of their candidates."""

    def cancel(self) -> None:
        """Give up every task that is out; none of them will come out of `wait`."""

    def close(self) -> None:
        """Cancel, and free all resources; may be called twice."""
