"""The ports' implementations for fast tests, written by hand and held to the same contracts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from vlga.errors import SearchExists, SearchNotFound, StoreError, nearest
from vlga.population import Candidate, Evaluation
from vlga.ports import Artifact, SearchRecord

CHANGEABLE = ("status", "message", "best_candidate_id", "test_accuracy", "seconds")


@dataclass
class StoredSearch:
    """One search of a `MemoryStore`, open for tests to look into.

    Attributes:
        record: as `find_search` gives it.
        candidates: by id.
        outcomes: every evaluation with its curve, whether it is final and whether reused.
        artifacts: by candidate and kind.
    """

    record: SearchRecord
    candidates: dict[int, Candidate] = field(default_factory=dict)
    outcomes: list[tuple[Evaluation, bool, bool]] = field(default_factory=list)
    artifacts: dict[tuple[int, str], Artifact] = field(default_factory=dict)


class MemoryStore:
    """The port `vlga.ports.Store` in dictionaries."""

    def __init__(self) -> None:
        self.searches: dict[str, StoredSearch] = {}

    def create_search(self, record: SearchRecord) -> None:
        """Enter a search."""
        if record.name in self.searches:
            raise SearchExists(f"a search's name must be new, but {record.name!r} is taken")
        self.searches[record.name] = StoredSearch(record)

    def find_search(self, name: str) -> SearchRecord:
        """Give a search back."""
        return self._search(name).record

    def update_search(self, name: str, **changes: Any) -> None:
        """Change some of a search's fields."""
        for key in changes:
            if key not in CHANGEABLE:
                raise TypeError(f"a search has no {key!r} to change{nearest(key, CHANGEABLE)}")
        search = self._search(name)
        search.record = replace(search.record, **changes)

    def add_candidates(self, search: str, candidates: Sequence[Candidate]) -> None:
        """Enter candidates that are not there yet."""
        known = self._search(search).candidates
        for one in candidates:
            known.setdefault(one.id, one)

    def add_evaluations(
        self,
        search: str,
        evaluations: Sequence[Evaluation],
        artifacts: Sequence[Artifact] = (),
        *,
        is_final: bool = False,
        reused: bool = False,
    ) -> None:
        """Record outcomes and files, all or none."""
        stored = self._search(search)
        for one in (*evaluations, *artifacts):
            if one.candidate_id not in stored.candidates:
                raise StoreError(f"candidate {one.candidate_id} must be entered before its outcome")
        stored.outcomes += [(one, is_final, reused) for one in evaluations]
        stored.artifacts |= {(one.candidate_id, one.kind): one for one in artifacts}

    def candidates(self, search: str) -> Sequence[Candidate]:
        """Give the candidates, by id."""
        return [one for _, one in sorted(self._search(search).candidates.items())]

    def evaluations(self, search: str) -> Sequence[Evaluation]:
        """Give the outcomes, oldest first, without curves."""
        outcomes = self._search(search).outcomes
        return [replace(one, curve=()) for one, is_final, _ in outcomes if not is_final]

    def artifacts(self, search: str) -> Sequence[Artifact]:
        """Give the files, by candidate and kind."""
        return [one for _, one in sorted(self._search(search).artifacts.items())]

    def close(self) -> None:
        """Do nothing."""

    def _search(self, name: str) -> StoredSearch:
        if name not in self.searches:
            hint = nearest(name, self.searches)
            raise SearchNotFound(f"a search must be in the database, but {name!r} is not{hint}")
        return self.searches[name]
