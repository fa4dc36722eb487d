"""What is asked of one network takes as long however many outcomes its search has."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import Engine

from db.read.lineage import ancestors
from db.read.mistakes import read_mistakes
from db.read.searches import individual, show_search
from db.store import SqlStore
from tests.support.plans import query_steps
from vlga.config.load import load_config

READS: dict[str, Callable[[Engine], Any]] = {
    "individual": lambda engine: individual(engine, "digits-1", 4),
    "lineage": lambda engine: ancestors(engine, "digits-1", 4),
    "mistakes": lambda engine: read_mistakes(engine, "digits-1"),
    "show": lambda engine: show_search(engine, "digits-1"),
}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_no_statement_reads_all_outcomes_of_a_search(engine: Engine, url: str, read):
    """SQLite has no statistics: it takes any index that gives an order which is asked for.

    With a million outcomes, those of one network in their order took it a second a statement.
    """
    fitness = load_config(settings=("fitness=f1_macro",))
    with closing(SqlStore(url)) as store:
        store.update_search("digits-1", best_candidate_id=4, test_accuracy=0.5, config=fitness)
    steps = query_steps(engine, lambda: read(engine))

    assert any("evaluations" in step for step in steps)
    assert not [step for step in steps if step.endswith("ix_evaluations_search (search_id=?)")]
