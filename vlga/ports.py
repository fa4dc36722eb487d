"""What the search needs from the outside, as protocols that `workers` and `db` implement.

Every implementation of a port, the fakes of the tests included, runs its contract tests
(tests/contracts/).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from vlga.config.settings import SearchConfig, TrainingConfig
from vlga.lease import Holder, Lease, Stop
from vlga.machines import Machines
from vlga.networks.phenotype import Plan
from vlga.population import Candidate, Evaluation, FailureReason
from vlga.recorded import Artifact, KnownOutcome

__all__ = [
    "ALL_BLOCKS",
    "DataSummary",
    "EvaluationTask",
    "Evaluator",
    "Layers",
    "SearchRecord",
    "Store",
    "Weights",
]


@dataclass(frozen=True, slots=True)
class DataSummary:
    """What a search must know of its images.

    Attributes:
        name: of the data set; ends in `vlga.labels.TEST_FITNESS` if it validates on test images.
        fingerprint: of its images, labels and splits; equal exactly if all are.
        input_shape: (channels, height, width).
        classes: names in the order of the labels, at least 2.
        n_train: images to train on.
        n_validation: images that give the fitness.
        n_test: images held out for the winner.
    """

    name: str
    fingerprint: str
    input_shape: tuple[int, int, int]
    classes: tuple[str, ...]
    n_train: int
    n_validation: int
    n_test: int

    @property
    def n_bytes(self) -> int:
        """Bytes of all images, one for a pixel of a channel."""
        return (self.n_train + self.n_validation + self.n_test) * math.prod(self.input_shape)


@dataclass(frozen=True, slots=True)
class Weights:
    """Trained weights as a file's bytes (``torch.save`` of a state dictionary).

    Attributes:
        candidate_id: whose they are.
        data: the file's contents.
    """

    candidate_id: int
    data: bytes


#: Which layers inherit from which: pairs of (own name, the other network's name), each standing
#: for all layers inside.
Layers = tuple[tuple[str, str], ...]

#: Every block from the block of the same name, and no classifier: Xiao et al. 2020, figure 7.
ALL_BLOCKS: Layers = (("blocks", "blocks"),)


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
        keep_weights: whether `Evaluator.weights` will be asked for the trained weights.
        seconds: time allowed, or None.
        score_test: whether the trained network is scored on the test images too, as in a study.
    """

    candidate_id: int
    plan: Plan
    training: TrainingConfig
    seed: int
    weights: Weights | None = None
    inherited_layers: Layers = ALL_BLOCKS
    is_final: bool = False
    keep_weights: bool = False
    seconds: float | None = None
    score_test: bool = False

    def failed(self, reason: FailureReason, message: str) -> Evaluation:
        """Give the outcome of a task of which nothing else is known."""
        return Evaluation(
            candidate_id=self.candidate_id,
            epochs=self.training.epochs,
            seed=self.seed,
            fitness=None,
            reason=reason,
            message=message,
            n_parameters=self.plan.n_parameters,
            n_macs=self.plan.n_macs,
        )


class Evaluator(Protocol):
    """Trains candidates somewhere, several at a time.

    `submit` never blocks. Every submitted task comes out of `wait` exactly once, completed or
    failed, in the order in which trainings end. A task whose worker dies comes out as
    `FailureReason.WORKER_LOST`; `workers.evaluators.retrying` tries it again first. If all workers
    are gone for good, `submit` and `wait` raise `EvaluatorLost`, the others nothing.
    """

    @property
    def n_slots(self) -> int:
        """How many tasks can run at once, at least 1."""

    @property
    def machines(self) -> Machines:
        """Where tasks can run now, which may change; cheap enough to ask after every task."""

    def submit(self, task: EvaluationTask) -> None:
        """Start a task as soon as there is room."""

    def wait(self, timeout_seconds: float | None = None) -> Sequence[Evaluation]:
        """Give what has ended, at least one if any task is out; empty if time runs out first."""

    def weights(self, candidate_id: int) -> Weights | None:
        """Give the trained weights of an evaluation that the last `wait` gave, if it kept them."""

    def drain(self) -> Sequence[int]:
        """Give up every task that has not started; give the ids of their candidates."""

    def cancel(self) -> None:
        """Give up every task that is out; none of them will come out of `wait`."""

    def close(self) -> None:
        """Cancel, and let everything go; may be called twice."""


@dataclass(frozen=True, slots=True)
class SearchRecord:
    """A search as it is stored; `Store.find_search` gives it back.

    Attributes:
        name: unique in its database.
        config: everything that was asked for.
        data: the images it was run on.
        versions: of Python, vlga and the libraries that matter.
        status: ``running | completed | interrupted | failed``.
        message: why it failed, or empty.
        best_candidate_id: the fittest candidate so far, or None.
        test_accuracy: of the winner after its final training, in [0, 1], or None.
        seconds: wall time spent on it.
    """

    name: str
    config: SearchConfig
    data: DataSummary
    versions: Mapping[str, str]
    status: str = "running"
    message: str = ""
    best_candidate_id: int | None = None
    test_accuracy: float | None = None
    seconds: float = 0.0


class Store(Protocol):
    """The ledger of one search at a time; only the driver writes to it.

    Every method is one transaction: it happens whole or not at all, and what it wrote survives the
    process. Errors are `StoreError`s; no exception of a database driver comes out.

    A driver holds its search by a lease (`acquire`). Whatever is written to a search that another
    store has the lease of is refused with `LeaseLost`, and so is whatever is written by a store
    whose lease was taken over, for good; a write with a lease renews it.
    """

    def create_search(self, record: SearchRecord) -> None:
        """Enter a search. Raises `SearchExists` if the name is taken."""

    def find_search(self, name: str) -> SearchRecord:
        """Give a search back. Raises `SearchNotFound`, naming the nearest known one."""

    def update_search(self, name: str, **changes: Any) -> None:
        """Change any of `config status message best_candidate_id test_accuracy seconds`."""

    def add_candidates(self, search: str, candidates: Sequence[Candidate]) -> None:
        """Enter candidates about to be evaluated; those already there are left as they are."""

    def add_evaluations(
        self,
        search: str,
        evaluations: Sequence[Evaluation],
        artifacts: Sequence[Artifact] = (),
        *,
        is_final: bool = False,
        **changes: Any,
    ) -> None:
        """Record outcomes with their learning curves, and files that belong to them, together.

        An artifact replaces the search's former one of the same candidate and kind. `changes` are
        those of `update_search`, in the same transaction.
        """

    def candidates(self, search: str) -> Sequence[Candidate]:
        """Give every candidate of a search, by id."""

    def evaluations(self, search: str) -> Sequence[Evaluation]:
        """Give every recorded outcome of a search, final trainings left out, oldest first.

        Curves are left out.
        """

    def known_outcomes(self, training_keys: Sequence[str]) -> Mapping[str, KnownOutcome]:
        """Give what any search recorded first of trainings with these keys (see memo.py).

        Only what completed or failed for a reason that any machine would see.
        """

    def final_trainings(self, search: str) -> Sequence[Evaluation]:
        """Give the outcome of every longer training of a winner, oldest first, without curves."""

    def artifacts(self, search: str) -> Sequence[Artifact]:
        """Give every file recorded for a search."""

    def remove_artifacts(self, search: str, candidate_ids: Sequence[int], kind: str) -> None:
        """Name these candidates' files of a kind no longer."""

    def acquire(
        self, search: str, holder: Holder, seconds: float, *, over: str | None = None
    ) -> bool:
        """Hold a search for so many seconds from now by the database's clock; tell whether it is.

        It is not if another has a lease that has not expired, unless that one's token is `over`.
        """

    def renew(self, search: str) -> Stop | None:
        """Hold a search for as long again; give how it was asked to stop, or None.

        Raises `LeaseLost` if it was taken over.
        """

    def release(self, search: str) -> None:
        """Hold a search no longer, if it still was held."""

    def lease(self, search: str) -> Lease | None:
        """Give the lease of whoever holds a search, expired or not; None if nobody does."""

    def request_stop(self, search: str, stop: Stop) -> bool:
        """Ask whoever holds a search to stop; tell whether anybody does."""

    def close(self) -> None:
        """Let the database go; may be called twice."""
