"""The ports' implementations for fast tests, written by hand and held to the same contracts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Unpack

from vlga.errors import LeaseLost, SearchExists, SearchNotFound, StoreError, nearest
from vlga.ports.candidate import Candidate
from vlga.ports.evaluation import REPEATABLE_FAILURES, Evaluation, Source
from vlga.ports.lease import Holder, Lease, Stop
from vlga.ports.ledger import Artifact, KnownOutcome, SearchChanges, SearchRecord


@dataclass
class StoredSearch:
    """One search of a `MemoryStore`, open for tests to look into.

    Attributes:
        record: as `find_search` gives it.
        candidates: by id.
        outcomes: every evaluation with its curve, whether it is final.
        artifacts: by candidate and kind.
        lease: of whoever holds it, with the moment when it expires, or None.
    """

    record: SearchRecord
    candidates: dict[int, Candidate] = field(default_factory=dict)
    outcomes: list[tuple[Evaluation, bool]] = field(default_factory=list)
    artifacts: dict[tuple[int, str], Artifact] = field(default_factory=dict)
    lease: tuple[Lease, float] | None = None


class MemoryStore:
    """The ports `Ledger` and `Leases` in dictionaries, which several stores may share.

    Attributes:
        searches: by name.
        clock: gives what is the database's time elsewhere.
    """

    def __init__(self) -> None:
        self.searches: dict[str, StoredSearch] = {}
        self.clock: Callable[[], float] = lambda: 0.0
        self._held: dict[str, tuple[str, float]] = {}

    def create_search(self, record: SearchRecord) -> None:
        """Enter a search."""
        if record.name in self.searches:
            raise SearchExists(f"a search's name must be new, but {record.name!r} is taken")
        self.searches[record.name] = StoredSearch(record)

    def find_search(self, name: str) -> SearchRecord:
        """Give a search back."""
        return self._search(name).record

    def update_search(self, name: str, **changes: Unpack[SearchChanges]) -> None:
        """Change some of a search's fields."""
        search = self._guarded(name)
        search.record = replace(search.record, **changes)

    def add_candidates(self, search: str, candidates: Sequence[Candidate]) -> None:
        """Enter candidates that are not there yet."""
        known = self._guarded(search).candidates
        for one in candidates:
            known.setdefault(one.id, one)

    def add_evaluations(
        self,
        search: str,
        evaluations: Sequence[Evaluation],
        artifacts: Sequence[Artifact] = (),
        *,
        is_final: bool = False,
        **changes: Unpack[SearchChanges],
    ) -> None:
        """Record outcomes, files and changes, all or none."""
        stored = self._guarded(search)
        for one in (*evaluations, *artifacts):
            if one.candidate_id not in stored.candidates:
                raise StoreError(f"candidate {one.candidate_id} must be entered before its outcome")
        stored.outcomes += [(one, is_final) for one in evaluations]
        stored.artifacts |= {(one.candidate_id, one.kind): one for one in artifacts}
        stored.record = replace(stored.record, **changes)

    def candidates(self, search: str) -> Sequence[Candidate]:
        """Give the candidates, by id."""
        return [one for _, one in sorted(self._search(search).candidates.items())]

    def evaluations(self, search: str) -> Sequence[Evaluation]:
        """Give the outcomes, oldest first, without curves."""
        outcomes = self._search(search).outcomes
        return [replace(one, curve=()) for one, is_final in outcomes if not is_final]

    def known_outcomes(self, training_keys: Sequence[str]) -> Mapping[str, KnownOutcome]:
        """Look through every search."""
        found: dict[str, KnownOutcome] = {}
        for search in self.searches.values():
            for one, is_final in search.outcomes:
                trained = one.source is Source.TRAINED and not is_final
                lasts = one.completed or one.reason in REPEATABLE_FAILURES
                if one.training_key in training_keys and lasts and trained:
                    weights = search.artifacts.get((one.candidate_id, "weights"))
                    found.setdefault(one.training_key, KnownOutcome(one, weights))
        return found

    def final_trainings(self, search: str) -> Sequence[Evaluation]:
        """Give the final trainings' outcomes, oldest first, without curves."""
        outcomes = self._search(search).outcomes
        return [replace(one, curve=(), mistakes=None) for one, is_final in outcomes if is_final]

    def artifacts(self, search: str) -> Sequence[Artifact]:
        """Give the files, by candidate and kind."""
        return [one for _, one in sorted(self._search(search).artifacts.items())]

    def remove_artifacts(self, search: str, candidate_ids: Sequence[int], kind: str) -> None:
        """Forget files."""
        files = self._guarded(search).artifacts
        for number in candidate_ids:
            files.pop((number, kind), None)

    def acquire(
        self, search: str, holder: Holder, seconds: float, *, over: str | None = None
    ) -> bool:
        """Hold a search, unless another does."""
        stored = self._search(search)
        if stored.lease is not None:
            lease, expires = stored.lease
            if expires > self.clock() and lease.holder.token != over:
                return False
        since = datetime.fromtimestamp(self.clock(), UTC)
        stored.lease = Lease(holder, since, has_expired=False), self.clock() + seconds
        self._held[search] = holder.token, seconds
        return True

    def renew(self, search: str) -> Stop | None:
        """Hold it for as long again."""
        lease = self._guarded(search).lease
        return None if lease is None else lease[0].stop

    def release(self, search: str) -> None:
        """Hold it no longer."""
        stored = self._search(search)
        token, _ = self._held.pop(search, ("", 0.0))
        if stored.lease is not None and stored.lease[0].holder.token == token:
            stored.lease = None
            if stored.record.status == "running":
                stored.record = replace(stored.record, status="interrupted")

    def lease(self, search: str) -> Lease | None:
        """Give the lease of whoever holds it."""
        kept = self._search(search).lease
        return None if kept is None else replace(kept[0], has_expired=kept[1] <= self.clock())

    def request_stop(self, search: str, stop: Stop) -> bool:
        """Leave a wish, unless a stronger one is there."""
        stored = self._search(search)
        if stored.lease is None:
            return False
        lease, expires = stored.lease
        asked = stop if stop is Stop.NOW else lease.stop or stop
        stored.lease = replace(lease, stop=asked), expires
        return True

    def close(self) -> None:
        """Do nothing."""

    def _guarded(self, name: str) -> StoredSearch:
        """Give a search that this store may write to, and renew its lease."""
        stored = self._search(name)
        held, lease = self._held.get(name), stored.lease
        if (held or lease) and not (held and lease and held[0] == lease[0].holder.token):
            by = f"is run by {lease[0]}" if lease else "was run by another process meanwhile"
            raise LeaseLost(f"one process at a time may write to a search, but {name!r} {by}")
        if held and lease:
            stored.lease = lease[0], self.clock() + held[1]
        return stored

    def _search(self, name: str) -> StoredSearch:
        if name not in self.searches:
            hint = nearest(name, self.searches)
            raise SearchNotFound(f"a search must be in the database, but {name!r} is not{hint}")
        return self.searches[name]
