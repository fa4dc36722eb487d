"""`SqlStore`: the ports `Ledger` and `Leases` on SQLite or Postgres; only the driver writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Unpack

from sqlalchemy import Connection, Engine, delete, select

from db.connection.engine import open_engine, reading, use_wal, writing
from db.connection.outage import Patience, waits
from db.ledger import codec, leases, writes
from db.ledger.known import known_outcomes
from db.read.leases import read_lease
from db.read.names import find_search_id
from db.schema import tables
from vlga.errors import SearchExists
from vlga.ports.candidate import Candidate
from vlga.ports.evaluation import Evaluation
from vlga.ports.lease import Holder, Lease, Stop
from vlga.ports.ledger import Artifact, KnownOutcome, SearchChanges, SearchRecord

__all__ = ["SqlStore"]


class SqlStore:
    """The ledger in a database. One process writes a search; any number may read it meanwhile.

    Who writes holds the search by a lease (leases.py), if anybody does.

    While a search runs, its driver's calls wait for a database that is away (`patience`).

    Every method is one transaction. What `add_evaluations` was given is on the disk when it
    returns. May be used from one thread at a time.
    """

    def __init__(self, url: str, *, create: bool = True) -> None:
        """Open the database at this URL; with `create`, make it if there is none.

        Raises:
            StoreError: as `db.connection.engine.open_engine`.
        """
        self._engine = open_engine(url, create=create)
        use_wal(self._engine)
        self._upsert = writes.upsert_of(self._engine)
        #: With which what a running search needs waits for the database; opening it never does.
        self.patience = Patience()
        self._search_ids: dict[str, int] = {}
        #: Token and seconds of every lease taken and not given back, lost or not, by search.
        self._held: dict[str, tuple[str, float]] = {}

    @property
    def engine(self) -> Engine:
        """What `db.read.searches` and `db.read.comparison` read from, while the store is open."""
        return self._engine

    def create_search(self, record: SearchRecord) -> None:
        """Enter a search. Raises `SearchExists` if the name is taken."""
        row = codec.search_row(record, _now())
        statement = self._upsert(tables.searches).on_conflict_do_nothing(index_elements=["name"])
        with writing(self._engine) as connection:
            found = connection.execute(statement.returning(tables.searches.c.id), row).scalar()
            if found is None:
                raise SearchExists(
                    f"a search's name must be new, but {record.name!r} is taken; "
                    f"give --name another one, or run: vlga resume {record.name}"
                )
        self._search_ids[record.name] = found

    @waits
    def find_search(self, name: str) -> SearchRecord:
        """Give a search back. Raises `SearchNotFound`, naming the nearest known one."""
        with reading(self._engine) as connection:
            search_id = self._search_id(connection, name)
            row = connection.execute(
                select(tables.searches).where(tables.searches.c.id == search_id)
            )
            return codec.search_record(row.mappings().one())

    @waits
    def update_search(self, name: str, **changes: Unpack[SearchChanges]) -> None:
        """Change what is named.

        Raises:
            SearchNotFound: no search of that name.
            LeaseLost: another store has its lease.
        """
        values = writes.search_values(changes)
        with self._writing(name) as (connection, search_id):
            writes.change_search(connection, search_id, values, _now())

    @waits
    def add_candidates(self, search: str, candidates: Sequence[Candidate]) -> None:
        """Enter candidates about to be evaluated; those already there are left as they are."""
        statement = self._upsert(tables.candidates).on_conflict_do_nothing(
            index_elements=["search_id", "id"]
        )
        with self._writing(search) as (connection, search_id):
            if candidates:
                connection.execute(
                    statement, [codec.candidate_row(search_id, one) for one in candidates]
                )

    @waits
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

        Raises:
            SearchNotFound: no search of that name.
            LeaseLost: another store has its lease.
            StoreError: a candidate was not entered before.
        """
        now, values = self.patience.moment, writes.search_values(changes)
        with self._writing(search) as (connection, search_id):
            if self.patience.is_repeated and writes.has_outcomes(
                connection, search_id, evaluations, now
            ):
                return
            if values:
                writes.change_search(connection, search_id, values, now)
            if evaluations:
                rows = [
                    codec.evaluation_row(search_id, one, is_final=is_final, now=now)
                    for one in evaluations
                ]
                writes.insert_evaluations(connection, rows, evaluations)
                if not is_final:
                    writes.count_outcomes(connection, self._upsert, search_id, rows, now)
            if artifacts:
                # Of two for one place the last counts; Postgres refuses both in one statement.
                last = {(one.candidate_id, one.kind): one for one in artifacts}
                writes.replace_artifacts(
                    connection,
                    self._upsert,
                    [codec.artifact_row(search_id, one, now) for one in last.values()],
                )

    @waits
    def candidates(self, search: str) -> Sequence[Candidate]:
        """Give every candidate of a search, by id."""
        table = tables.candidates
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(table)
                .where(table.c.search_id == self._search_id(connection, search))
                .order_by(table.c.id)
            )
            return [codec.candidate(row) for row in rows.mappings()]

    @waits
    def evaluations(self, search: str) -> Sequence[Evaluation]:
        """Give every recorded outcome, final trainings and curves left out, oldest first."""
        return self._outcomes(search, is_final=False)

    @waits
    def known_outcomes(self, training_keys: Sequence[str]) -> Mapping[str, KnownOutcome]:
        """Give what any search recorded first of trainings with these keys.

        Only what completed or failed for a reason that any machine would see.
        """
        with reading(self._engine) as connection:
            return known_outcomes(connection, training_keys)

    @waits
    def final_trainings(self, search: str) -> Sequence[Evaluation]:
        """Give the outcome of every longer training and of every committee, oldest first."""
        return self._outcomes(search, is_final=True)

    @waits
    def artifacts(self, search: str) -> Sequence[Artifact]:
        """Give every file recorded for a search, by candidate and kind."""
        table = tables.artifacts
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(table)
                .where(table.c.search_id == self._search_id(connection, search))
                .order_by(table.c.candidate_id, table.c.kind)
            )
            return [codec.artifact(row) for row in rows.mappings()]

    @waits
    def remove_artifacts(self, search: str, candidate_ids: Sequence[int], kind: str) -> None:
        """Name these candidates' files of a kind no longer."""
        columns = tables.artifacts.c
        with self._writing(search) as (connection, search_id):
            connection.execute(
                delete(tables.artifacts)
                .where(columns.search_id == search_id, columns.kind == kind)
                .where(columns.candidate_id.in_(candidate_ids))
            )

    def acquire(
        self, search: str, holder: Holder, seconds: float, *, over: str | None = None
    ) -> bool:
        """Hold a search for so many seconds from now by the database's clock; tell whether it is.

        It is not if another has a lease that has not expired, unless that one's token is `over`.
        """
        with writing(self._engine) as connection:
            search_id = self._search_id(connection, search)
            given = leases.insert_lease(
                connection, self._upsert, search_id, holder, seconds=seconds, over=over
            )
        if given:
            self._held[search] = holder.token, seconds
        return given

    @waits
    def renew(self, search: str) -> Stop | None:
        """Hold a search for as long again; give how it was asked to stop, or None.

        Raises:
            LeaseLost: it was taken over.
        """
        with writing(self._engine) as connection:
            search_id = self._search_id(connection, search)
            return leases.guard(connection, search, search_id, self._held.get(search))

    def release(self, search: str) -> None:
        """Hold a search no longer, if it still was held; one with no end is now interrupted."""
        token, _ = self._held.pop(search, ("", 0.0))
        with writing(self._engine) as connection:
            search_id = self._search_id(connection, search)
            if leases.delete_lease(connection, search_id, token):
                writes.interrupt_search(connection, search_id, _now())

    def lease(self, search: str) -> Lease | None:
        """Give the lease of whoever holds a search, expired or not; None if nobody does."""
        with reading(self._engine) as connection:
            return read_lease(connection, self._search_id(connection, search))

    def request_stop(self, search: str, stop: Stop) -> bool:
        """Ask whoever holds a search to stop; tell whether anybody does."""
        with writing(self._engine) as connection:
            return leases.request_stop(connection, self._search_id(connection, search), stop)

    def note_progress(self, search: str, body: Mapping[str, Any] | None) -> None:
        """Keep where a search stands now, in place of what was kept; None forgets that.

        Never waits for the database: it is told again in a moment.

        Raises:
            LeaseLost: another store has the search's lease.
        """
        with self._writing(search) as (connection, search_id):
            writes.write_progress(connection, self._upsert, search_id, body)

    def close(self) -> None:
        """Let the database go; may be called twice."""
        self._engine.dispose()

    @contextmanager
    def _writing(self, search: str) -> Iterator[tuple[Connection, int]]:
        """Begin a transaction that writes to a search, if this store may."""
        with writing(self._engine) as connection:
            search_id = self._search_id(connection, search)
            leases.guard(connection, search, search_id, self._held.get(search))
            yield connection, search_id

    def _outcomes(self, search: str, *, is_final: bool) -> list[Evaluation]:
        table = tables.evaluations
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(table)
                .where(table.c.search_id == self._search_id(connection, search))
                .where(table.c.is_final.is_(is_final))
                .order_by(table.c.id)
            )
            return [codec.evaluation(row) for row in rows.mappings()]

    def _search_id(self, connection: Connection, name: str) -> int:
        """Give a search's number. Asked for with every write, hence remembered."""
        if name not in self._search_ids:
            self._search_ids[name] = find_search_id(connection, name)
        return self._search_ids[name]


def _now() -> datetime:
    return datetime.now(UTC)
