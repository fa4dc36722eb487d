"""A store that dies as the process of a search does: between two of its writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from tests.support.fakes import MemoryStore
from vlga.ports.candidate import Candidate
from vlga.ports.evaluation import Evaluation
from vlga.ports.ledger import Artifact, SearchChanges


class Killed(BaseException):
    """Ends a search as a lost process does: what comes after it reaches no store."""


class MortalStore(MemoryStore):
    """A store that notes every write, and may die before one of them.

    Attributes:
        writes: names of the methods that wrote, with the ids of the candidates concerned.
        n_left: writes until death, or None for immortality.
        death: what is raised from then on.
    """

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[tuple[str, tuple[int, ...], tuple[Artifact, ...]]] = []
        self.n_left: int | None = None
        self.death: BaseException = Killed()

    def update_search(self, name: str, **changes: Unpack[SearchChanges]) -> None:
        self._note("update_search")
        super().update_search(name, **changes)

    def add_candidates(self, search: str, candidates: Sequence[Candidate]) -> None:
        self._note("add_candidates", candidates=[one.id for one in candidates])
        super().add_candidates(search, candidates)

    def add_evaluations(
        self,
        search: str,
        evaluations: Sequence[Evaluation],
        artifacts: Sequence[Artifact] = (),
        **rest: Any,
    ) -> None:
        ids = [one.candidate_id for one in evaluations]
        self._note("add_evaluations", candidates=ids, artifacts=artifacts)
        super().add_evaluations(search, evaluations, artifacts, **rest)

    def _note(
        self, method: str, candidates: Sequence[int] = (), artifacts: Sequence[Artifact] = ()
    ) -> None:
        if self.n_left is not None:
            if not self.n_left:
                raise self.death
            self.n_left -= 1
        self.writes.append((method, tuple(candidates), tuple(artifacts)))
