"""`SqlStore`: the port `vlga.ports.Store` on SQLite or Postgres. Only the driver writes with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from db import codec, schema
from db.engine import open_engine, reading, use_wal, writing
from db.queries import find_search_id
from vlga.errors import SearchExists, nearest
from vlga.population import Candidate, Evaluation
from vlga.ports import Artifact, SearchRecord

__all__ = ["SqlStore"]

_CHANGEABLE = ("status", "message", "best_candidate_id", "test_accuracy", "seconds")


class SqlStore:
    """The ledger in a database. One process writes a search; any number may read it meanwhile.

    Every method is one transaction. What `add_evaluations` was given is on the disk when it
    returns. May be used from one thread at a time.
    """

    def __init__(self, url: str, *, create: bool = True) -> None:
        """Open the database at this URL; with `create`, make it if there is none.

        Raises:
            StoreError: as `db.engine.open_engine`.
        """
        self._engine = open_engine(url, create=create)
        use_wal(self._engine)
        # Both databases say "on conflict" in the same words, but each by its own function.
        self._upsert = (sqlite if self._engine.dialect.name == "sqlite" else postgresql).insert
        self._search_ids: dict[str, int] = {}

    @property
    def engine(self) -> Engine:
        """What `db.queries` and `db.comparison` read from, while the store is open."""
        return self._engine

    def create_search(self, record: SearchRecord) -> None:
        """Enter a search. Raises `SearchExists` if the name is taken."""
        row = codec.search_row(record, _now())
        statement = self._upsert(schema.searches).on_conflict_do_nothing(index_elements=["name"])
        with writing(self._engine) as connection:
            found = connection.execute(statement.returning(schema.searches.c.id), row).scalar()
            if found is None:
                raise SearchExists(
                    f"a search's name must be new, but {record.name!r} is taken; "
                    f"give --name another one, or run: vlga resume {record.name}"
                )
        self._search_ids[record.name] = found

    def find_search(self, name: str) -> SearchRecord:
        """Give a search back. Raises `SearchNotFound`, naming the nearest known one."""
        with reading(self._engine) as connection:
            search_id = self._search_id(connection, name)
            row = connection.execute(
                select(schema.searches).where(schema.searches.c.id == search_id)
            )
            return codec.search_record(row.mappings().one())

    def update_search(self, name: str, **changes: Any) -> None:
        """Change any of `status message best_candidate_id test_accuracy seconds`.

        Raises:
            TypeError: another key.
            SearchNotFound: no search of that name.
        """
        for key in changes:
            if key not in _CHANGEABLE:
                raise TypeError(f"a search has no {key!r} to change{nearest(key, _CHANGEABLE)}")
        if "message" in changes:
            changes["message"] = codec.clean_text(changes["message"])
        with writing(self._engine) as connection:
            connection.execute(
                update(schema.searches)
                .where(schema.searches.c.id == self._search_id(connection, name))
                .values(updated_at=_now(), **changes)
            )

    def add_candidates(self, search: str, candidates: Sequence[Candidate]) -> None:
        """Enter candidates about to be evaluated; those already there are left as they are."""
        statement = self._upsert(schema.candidates).on_conflict_do_nothing(
            index_elements=["search_id", "id"]
        )
        with writing(self._engine) as connection:
            search_id = self._search_id(connection, search)
            if candidates:
                connection.execute(
                    statement, [codec.candidate_row(search_id, one) for one in candidates]
                )

    def add_evaluations(
        self,
        search: str,
        evaluations: Sequence[Evaluation],
        artifacts: Sequence[Artifact] = (),
        *,
        is_final: bool = False,
        reused: bool = False,
    ) -> None:
        """Record outcomes with their learning curves, and files that belong to them, together.

        `reused` marks an outcome taken over from an equal candidate instead of trained for.
        An artifact replaces the search's former one of the same candidate and kind.

        Raises:
            SearchNotFound: no search of that name.
            StoreError: a candidate was not entered before.
        """
        now = _now()
        with writing(self._engine) as connection:
            search_id = self._search_id(connection, search)
            if evaluations:
                rows = [
                    codec.evaluation_row(search_id, one, is_final=is_final, reused=reused, now=now)
                    for one in evaluations
                ]
                _insert_evaluations(connection, rows, evaluations)
                if not is_final:
                    _count(connection, search_id, rows, reused=reused, now=now)
            if artifacts:
                # Of two for one place the last counts; Postgres refuses both in one statement.
                last = {(one.candidate_id, one.kind): one for one in artifacts}
                self._replace_artifacts(
                    connection, [codec.artifact_row(search_id, one, now) for one in last.values()]
                )

    def candidates(self, search: str) -> Sequence[Candidate]:
        """Give every candidate of a search, by id."""
        table = schema.candidates
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(table)
                .where(table.c.search_id == self._search_id(connection, search))
                .order_by(table.c.id)
            )
            return [codec.candidate(row) for row in rows.mappings()]

    def evaluations(self, search: str) -> Sequence[Evaluation]:
        """Give every recorded outcome, final trainings and curves left out, oldest first."""
        table = schema.evaluations
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(table)
                .where(table.c.search_id == self._search_id(connection, search))
                .where(table.c.is_final.is_(False))
                .order_by(table.c.id)
            )
            return [codec.evaluation(row) for row in rows.mappings()]

    def artifacts(self, search: str) -> Sequence[Artifact]:
        """Give every file recorded for a search, by candidate and kind."""
        table = schema.artifacts
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(table)
                .where(table.c.search_id == self._search_id(connection, search))
                .order_by(table.c.candidate_id, table.c.kind)
            )
            return [codec.artifact(row) for row in rows.mappings()]

    def close(self) -> None:
        """Let the database go; may be called twice."""
        self._engine.dispose()

    def _search_id(self, connection: Connection, name: str) -> int:
        """Give a search's number. Asked for with every write, hence remembered."""
        if name not in self._search_ids:
            self._search_ids[name] = find_search_id(connection, name)
        return self._search_ids[name]

    def _replace_artifacts(self, connection: Connection, rows: list[dict[str, Any]]) -> None:
        statement = self._upsert(schema.artifacts)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["search_id", "candidate_id", "kind"],
                set_={
                    name: statement.excluded[name]
                    for name in ("path", "sha256", "n_bytes", "created_at")
                },
            ),
            rows,
        )


def _insert_evaluations(
    connection: Connection, rows: list[dict[str, Any]], evaluations: Sequence[Evaluation]
) -> None:
    ids = connection.scalars(
        insert(schema.evaluations).returning(schema.evaluations.c.id, sort_by_parameter_order=True),
        rows,
    )
    points = [
        point
        for evaluation_id, one in zip(ids, evaluations, strict=True)
        for point in codec.epoch_rows(evaluation_id, one)
    ]
    if points:
        connection.execute(insert(schema.epochs), points)


def _count(
    connection: Connection,
    search_id: int,
    rows: list[dict[str, Any]],
    *,
    reused: bool,
    now: datetime,
) -> None:
    """Add outcomes to their search's counts: each is one of completed, failed and reused."""
    n_failed = 0 if reused else sum(row["status"] == "failed" for row in rows)
    columns = schema.searches.c
    connection.execute(
        update(schema.searches)
        .where(columns.id == search_id)
        .values(
            n_completed=columns.n_completed + (0 if reused else len(rows) - n_failed),
            n_failed=columns.n_failed + n_failed,
            n_reused=columns.n_reused + (len(rows) if reused else 0),
            updated_at=now,
        )
    )


def _now() -> datetime:
    return datetime.now(UTC)
