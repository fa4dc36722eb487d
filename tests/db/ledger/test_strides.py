"""The rollup agrees with the outcomes, however they came, and with what the migration makes."""

from __future__ import annotations

import importlib
from contextlib import closing
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, func, select, text

from db.connection.engine import writing
from db.ledger.strides import OUTCOMES_PER_STRIDE
from db.schema.service import strides
from db.schema.tables import searches
from db.store import SqlStore
from tests.support.records import candidate, evaluation, record
from vlga.ports.evaluation import Evaluation, FailureReason, Source

ROLL_UP = importlib.import_module("db.migrations.versions.0002_service").ROLL_UP


def _rows(connection: Connection) -> list[dict[str, object]]:
    found = connection.execute(select(strides).order_by(*strides.primary_key)).mappings()
    return [{name: _rounded(value) for name, value in row.items()} for row in found]


def _rounded(value: object) -> object:
    return round(value, 6) if isinstance(value, float) else value


def _outcome(kind: str, fitness: float) -> Evaluation:
    if kind == "failed":
        return evaluation(0, reason=FailureReason.DIVERGED, epochs=1)
    completed = evaluation(0, fitness=fitness, epochs=2)
    return completed if kind == "completed" else replace(completed, source=Source.EQUAL_CANDIDATE)


_OUTCOMES = st.builds(
    _outcome, st.sampled_from(["completed", "failed", "reused"]), st.floats(0, 1, width=32)
)


def _check(url: str, batches: list[list[Evaluation]]) -> None:
    """Record outcomes in these batches and compare what the rollup says with what SQL says."""
    with closing(SqlStore(url)) as store:
        store.create_search(record("one"))
        store.add_candidates("one", [candidate(0)])
        for batch in batches:
            store.add_evaluations("one", batch)
        store.add_evaluations("one", [evaluation(0, fitness=1.0)], is_final=True)
        with writing(store.engine) as connection:
            written = _rows(connection)
            n = connection.scalar(
                select(searches.c.n_completed + searches.c.n_failed + searches.c.n_reused)
            )
            assert sum(len(batch) for batch in batches) == n
            assert (connection.scalar(select(func.sum(strides.c.n))) or 0) == n
            connection.execute(delete(strides))
            connection.execute(text(ROLL_UP))
            assert _rows(connection) == written


@settings(max_examples=15)
@given(batches=st.lists(st.lists(_OUTCOMES, max_size=3 * OUTCOMES_PER_STRIDE // 2), max_size=4))
def test_batches_of_any_size_give_the_same_strides_as_the_migration(
    batches: list[list[Evaluation]],
) -> None:
    """A batch may begin and end within a stride, or span several."""
    _check("sqlite://", batches)


def test_both_databases_agree(url: str) -> None:
    """Over the borders of strides, with every kind of outcome."""
    kinds = ("completed", "failed", "reused")
    batch = [_outcome(kinds[i % 3], i / 120) for i in range(120)]
    _check(url, [batch, batch[:30], batch[:1]])
