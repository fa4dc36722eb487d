"""The ledger: where a search and everything that came of it is recorded.

Every implementation, the fakes of the tests included, runs its contract tests (tests/contracts/).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypedDict, Unpack

from vlga.config.settings import SearchConfig
from vlga.ports.candidate import Candidate
from vlga.ports.data import DataSummary
from vlga.ports.evaluation import Evaluation
from vlga.ports.rivals import Rivals

__all__ = ["Artifact", "KnownOutcome", "Ledger", "SearchChanges", "SearchRecord"]


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file made by a search.

    Attributes:
        candidate_id: whose.
        kind: ``weights`` (of an evaluation), ``final_weights``, or ``committee_weights``: the final
            ones of a member of the search's committee.
        path: where it is, relative to the folder of the ledger's files, with ``/``.
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
    """A search as it is stored; `Ledger.find_search` gives it back.

    Attributes:
        name: unique in its database.
        config: everything that was asked for.
        data: the images it was run on.
        versions: of Python, vlga and the libraries that matter.
        status: ``running | completed | interrupted | failed``.
        message: why it failed, or empty.
        best_candidate_id: the fittest candidate so far, or None.
        test_accuracy: of what it answers with, its committee or else its winner, after the longer
            training, in [0, 1], or None.
        seconds: wall time spent on it.
        rivals: what simple methods reach on its images; None until that is known.
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
    rivals: Rivals | None = None


class SearchChanges(TypedDict, total=False):
    """What may change of a search: fields of its `SearchRecord`, those left out stay."""

    config: SearchConfig
    status: str
    message: str
    best_candidate_id: int | None
    test_accuracy: float | None
    seconds: float
    rivals: Rivals | None


class Ledger(Protocol):
    """What a search writes and reads; only the driver writes to it.

    Every method is one transaction: it happens whole or not at all, and what it wrote survives the
    process. Errors are `StoreError`s; no exception of a database driver comes out.

    Writing goes by the search's lease (lease.py, `Leases`): what is written to a search that
    another process holds, or has taken over, is refused with `LeaseLost`.
    """

    def create_search(self, record: SearchRecord) -> None:
        """Enter a search. Raises `SearchExists` if the name is taken."""

    def find_search(self, name: str) -> SearchRecord:
        """Give a search back. Raises `SearchNotFound`, naming the nearest known one."""

    def update_search(self, name: str, **changes: Unpack[SearchChanges]) -> None:
        """Change what is named."""

    def add_candidates(self, search: str, candidates: Sequence[Candidate]) -> None:
        """Enter candidates about to be evaluated; those already there are left as they are."""

    def add_evaluations(
        self,
        search: str,
        evaluations: Sequence[Evaluation],
        artifacts: Sequence[Artifact] = (),
        *,
        is_final: bool = False,
        **changes: Unpack[SearchChanges],
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
        """Give the outcome of every longer training and of every committee (which has no epochs).

        Oldest first, without curves.
        """

    def artifacts(self, search: str) -> Sequence[Artifact]:
        """Give every file recorded for a search."""

    def remove_artifacts(self, search: str, candidate_ids: Sequence[int], kind: str) -> None:
        """Name these candidates' files of a kind no longer."""

    def close(self) -> None:
        """Let the database go; may be called twice."""
