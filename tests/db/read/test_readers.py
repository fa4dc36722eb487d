"""Whoever reads an SQLite file waits for nobody, nor does who writes it: real processes."""

from __future__ import annotations

import sqlite3
from itertools import pairwise
from typing import Any

from db.connection.engine import open_engine
from db.read import searches
from db.store import SqlStore
from tests.support.records import DATA
from tests.support.searching import RANDOM, ScriptedEvaluator, run_in, small_config
from vlga.execution.driver import Search
from vlga.execution.hold import held
from vlga.ports.ledger import SearchRecord

N_READERS = 6


def read_on(url: str, reading: Any, ended: Any, seen: Any) -> None:
    """Ask what the reading commands ask, again and again, once more after the search's end."""
    counts = []
    is_last = False
    while not is_last:
        is_last = ended.is_set()
        engine = open_engine(url)
        counts.append(searches.list_searches(engine)[0]["evaluations"])
        best = searches.show_search(engine, "first")["best"]
        first, *_ = searches.top(engine, "first") or [None]
        assert best is None or best["fitness"] <= first["fitness"]
        engine.dispose()
        reading.release()
    seen.put(counts)


def test_six_processes_read_what_a_search_is_writing(processes, tmp_path):
    """None finds it locked for as long as a second; each sees the search grow and end.

    A seventh looks at its beginning all the while.
    """
    url = f"sqlite:///{tmp_path}/vlga.db?timeout=1"
    config = small_config(*RANDOM, "budget.evaluations=40")
    store, evaluator = SqlStore(url), ScriptedEvaluator(4)
    store.create_search(SearchRecord("first", config, DATA, versions={}))
    reading, ended, seen = processes.Semaphore(0), processes.Event(), processes.Queue()
    readers = [
        processes.Process(target=read_on, args=(url, reading, ended, seen), daemon=True)
        for _ in range(N_READERS)
    ]
    for reader in readers:
        reader.start()
    for _ in range(N_READERS):
        assert reading.acquire(timeout=60)

    # One reads for as long as the search runs: without WAL nothing could be recorded meanwhile.
    slow = sqlite3.connect(tmp_path / "vlga.db", isolation_level=None)
    slow.execute("BEGIN")
    assert slow.execute("SELECT count(*) FROM evaluations").fetchone() == (0,)
    with held(store, "first") as hold:
        Search(run_in(store, config, evaluator, tmp_path, asked_to_stop=hold.check)).run()
    assert slow.execute("SELECT count(*) FROM evaluations").fetchone() == (0,)
    slow.close()
    n_recorded = len(store.evaluations("first"))
    store.close()
    ended.set()
    counts = [seen.get(timeout=60) for _ in readers]
    for reader in readers:
        reader.join(60)

    assert [reader.exitcode for reader in readers] == [0] * N_READERS
    for one in counts:
        assert one[-1] == n_recorded >= 40
        assert all(before <= after for before, after in pairwise(one))
    assert any(0 < count < n_recorded for one in counts for count in one)
