"""The store: where a search and everything that came of it is recorded.

Every implementation, the fakes of the tests included, runs its contract tests (tests/contracts/).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from vlga.config.settings import SearchConfig
from vlga.ports.candidate import Candidate
from vlga.ports.data import DataSummary
from vlga.ports.evaluation import Evaluation
from vlga.ports.lease import Holder, Lease, Stop

__all__ = ["Artifact", "KnownOutcome", "SearchRecord", "Store"]


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file made by a search.

    Attributes:
        candidate_id: whose.
        kind: ``weights`` (of an evaluation) or ``final_weights``.
        path: where it is.
        sha256: of its contents, hexadecimal.
        n_bytes: its size.
    """

    candidate_id: int
    kind: str
    path: str
    sha256: str
    n_bytes: int


@dataclass(frozen=True, slots=True)
class KnownOutcome:
    """What a search recorded of a training.

    Attributes:
        evaluation: the outcome, with its curve.
        weights: the file of the trained weights, or None if none was kept.
    """

    evaluation: Evaluation
    weights: Artifact | None


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
