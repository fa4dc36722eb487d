"""A ledger of any size, as searches would leave it, written in minutes.

Rows go in by SQLite's ``executemany`` and Postgres' ``COPY``, past the store, which would take an
hour for a million.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from sqlalchemy import Engine, Table, update

from db.schema import tables
from db.store import SqlStore
from tests.support.records import DATA, record
from vlga.config.load import load_config
from vlga.ports.candidate import Candidate
from vlga.strategies import make_strategy

__all__ = ["BIGGEST", "fill", "searches"]

_ROLL_UP: str = importlib.import_module("db.migrations.versions.0002_service").ROLL_UP
#: The search that has four fifths of all evaluations.
BIGGEST = "big"
_EPOCHS = 3
_POPULATION = 100
#: Different genomes; a million of them would take an hour to draw and change no time measured.
_N_GENOMES = 2000
_ROWS_AT_ONCE = 20_000
_REASONS = ("diverged", "diverged", "diverged", "out_of_memory", "timed_out")

Row = tuple[Any, ...]

_COLUMNS = {
    tables.candidates: (
        "search_id, id, genome, fingerprint, phase, generation, rung, parents, operator, "
        "weights_from, depth"
    ),
    tables.evaluations: (
        "id, search_id, candidate_id, is_final, reused, epochs, seed, status, reason, message, "
        "fitness, validation_loss, n_parameters, n_macs, train_seconds, worker, device, "
        "peak_memory_bytes, finished_at, test_accuracy"
    ),
    tables.epochs: (
        "evaluation_id, epoch, train_loss, train_accuracy, validation_loss, validation_accuracy, "
        "learning_rate, seconds, amplified_layers, layer_measures"
    ),
}


class _Genome(NamedTuple):
    text: str
    depth: int
    n_parameters: int
    n_macs: int


def searches(n: int) -> dict[str, int]:
    """Share evaluations out: 80 % to one search, 4 % to each of four, the rest to twenty."""
    small = {f"small-{i}": max(1, n // 500) for i in range(20)}
    middle = {f"middle-{i}": max(1, n // 25) for i in range(4)}
    left = n - sum(small.values()) - sum(middle.values())
    return {**small, BIGGEST: max(1, left), **middle}


def fill(url: str, n: int) -> Engine:
    """Make a database with `n` evaluations; give it open.

    Every candidate has one outcome: 4 in 100 failed, 3 were taken over, the others have a curve of
    3 epochs. Fitness grows from generation to generation, in steps of a validation image.
    """
    store = SqlStore(url)
    genomes = [_described(one) for one in _candidates()]
    first_id = 1
    for name, size in searches(n).items():
        store.create_search(record(name))
        with store.engine.connect() as connection:
            search_id = connection.scalar(
                tables.searches.select()
                .with_only_columns(tables.searches.c.id)
                .where(tables.searches.c.name == name)
            )
        outcomes = _Outcomes(search_id, size, first_id, genomes, store.engine.dialect.name)
        for rows in outcomes.chunks():
            _insert(store.engine, rows)
        with store.engine.begin() as connection:
            mine = tables.searches.c.id == search_id
            connection.execute(update(tables.searches).where(mine).values(**outcomes.totals))
        first_id += size
    with store.engine.begin() as connection:
        connection.exec_driver_sql(_ROLL_UP)
    with store.engine.connect() as connection:
        if store.engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT setval('evaluations_id_seq', {first_id})")
        connection.commit()
        # What Postgres does by itself within a minute.
        connection.execution_options(isolation_level="AUTOCOMMIT")
        if store.engine.dialect.name == "postgresql":
            connection.exec_driver_sql("VACUUM ANALYZE")
    return store.engine


def _candidates() -> Sequence[Candidate]:
    config = load_config(settings=("strategy=random_search", f"population.size={_POPULATION}"))
    return make_strategy(config, DATA.input_shape, len(DATA.classes)).ask(_N_GENOMES)


def _described(candidate: Candidate) -> _Genome:
    text = json.dumps(candidate.genome.to_dict(), separators=(",", ":"))
    size = 20_000 * candidate.genome.depth + int(candidate.fingerprint[:4], 16)
    return _Genome(text, candidate.genome.depth, size, 50 * size)


class _Outcomes:
    """The rows of one search, chunk by chunk; `totals` holds its counts when they are through."""

    def __init__(
        self, search_id: int, size: int, first_id: int, genomes: Sequence[_Genome], dialect: str
    ) -> None:
        self._search_id = search_id
        self._size = size
        self._first_id = first_id
        self._genomes = genomes
        self._is_sqlite = dialect == "sqlite"
        self._rng = Random(search_id)
        self.totals = {"n_completed": 0, "n_failed": 0, "n_reused": 0, "status": "completed"}

    def chunks(self) -> Iterator[dict[Table, list[Row]]]:
        for start in range(0, self._size, _ROWS_AT_ONCE):
            rows: dict[Table, list[Row]] = {table: [] for table in _COLUMNS}
            for number in range(start, min(start + _ROWS_AT_ONCE, self._size)):
                self._add(rows, number)
            yield rows

    def _add(self, rows: dict[Table, list[Row]], number: int) -> None:
        rng, generation = self._rng, number // _POPULATION
        genome = self._genomes[rng.randrange(len(self._genomes))]
        kind = rng.random()
        failed, reused = kind < 0.04, 0.04 <= kind < 0.07
        self.totals["n_failed" if failed else "n_reused" if reused else "n_completed"] += 1
        ceiling = 0.95 - 0.5 / (1 + generation / 20)
        fitness = round(max(0.1, ceiling - abs(rng.gauss(0, 0.05))) * 10_000) / 10_000
        first_parent = max(0, generation - 1) * _POPULATION
        parents = [first_parent + rng.randrange(_POPULATION) for _ in range(2)] * (generation > 0)
        fingerprint = f"{rng.getrandbits(64):016x}"
        rows[tables.candidates].append(
            (
                self._search_id, number, genome.text, fingerprint, 0, generation, 0,
                json.dumps(parents, separators=(",", ":")),
                "uniform_crossover" if parents else "sample", None, genome.depth,
            )
        )  # fmt: skip
        finished: Any = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number)
        if self._is_sqlite:
            finished = f"{finished:%Y-%m-%d %H:%M:%S.%f}"
        evaluation_id = self._first_id + number
        rows[tables.evaluations].append(
            (
                evaluation_id, self._search_id, number, False, reused, _EPOCHS,
                rng.getrandbits(62), "failed" if failed else "completed",
                rng.choice(_REASONS) if failed else None,
                "the loss is not finite" if failed else "", None if failed else fitness,
                None if failed else 1.25 / _EPOCHS, genome.n_parameters, genome.n_macs, 3.25,
                "node-1/4242", "cpu", 2**28, finished, None,
            )
        )  # fmt: skip
        if not failed and not reused:
            rows[tables.epochs] += [
                (
                    evaluation_id, epoch, 1.5 / (epoch + 1), fitness / (3 - epoch),
                    1.25 / (epoch + 1), fitness / (_EPOCHS - epoch), 0.1 / (epoch + 1), 1.08,
                    '["blocks.0.a"]' if epoch == 1 else "[]", None,
                )
                for epoch in range(_EPOCHS)
            ]  # fmt: skip


def _insert(engine: Engine, rows: dict[Table, list[Row]]) -> None:
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        if engine.dialect.name == "sqlite":
            cursor.execute("PRAGMA synchronous=OFF")
            cursor.execute("BEGIN")
            for table, values in rows.items():
                marks = ", ".join("?" * (_COLUMNS[table].count(",") + 1))
                insert = f"INSERT INTO {table} ({_COLUMNS[table]}) VALUES ({marks})"
                cursor.executemany(insert, values)
            cursor.execute("COMMIT")
            cursor.execute("PRAGMA synchronous=FULL")
        else:
            for table, values in rows.items():
                with cursor.copy(f"COPY {table} ({_COLUMNS[table]}) FROM STDIN") as copy:
                    for value in values:
                        copy.write_row(value)
            connection.commit()
    finally:
        connection.close()
