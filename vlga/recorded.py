"""What a ledger gives back beside outcomes: files, and trainings that any search may take over."""

from __future__ import annotations

from dataclasses import dataclass

from vlga.population import Evaluation

__all__ = ["Artifact", "KnownOutcome"]


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
