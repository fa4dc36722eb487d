"""What leases in a database do beyond the contract: many at once, and by whose clock."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import insert

from db.connection.engine import writing
from db.ledger import codec
from db.schema import tables
from db.store import SqlStore
from tests.support.records import candidate, evaluation, record
from vlga.errors import LeaseLost
from vlga.ports.lease import Holder


def holder(token):
    return Holder(token, "host", 1, "")


@pytest.fixture
def store(url):
    """A store with the search `first` and its candidate 0."""
    with closing(SqlStore(url)) as opened:
        opened.create_search(record("first"))
        opened.add_candidates("first", [candidate(0)])
        yield opened


@pytest.mark.parametrize("is_over", [False, True], ids=["free", "expired"])
def test_of_many_who_want_it_at_once_one_gets_it(store, url, is_over):
    """Whether nobody held it before or somebody's lease is over; the others cannot write."""
    if is_over:
        store.acquire("first", holder("late"), -1)
    n = 8
    together = threading.Barrier(n)

    def want(number):
        with closing(SqlStore(url)) as mine:
            together.wait()
            has_it = mine.acquire("first", holder(str(number)), 60)
            try:
                mine.add_evaluations("first", [evaluation(0)])
            except LeaseLost:
                return has_it, False
            return has_it, True

    with ThreadPoolExecutor(n) as pool:
        outcomes = [*pool.map(want, range(n))]

    assert sorted(outcomes) == [(False, False)] * (n - 1) + [(True, True)]
    assert len(store.evaluations("first")) == 1
    assert store.lease("first").holder.token == str(outcomes.index((True, True)))


def test_a_write_that_has_begun_ends_before_a_takeover(store, url):
    """Who takes a search over sees all that its predecessor wrote, and nothing comes after it."""
    store.acquire("first", holder("old"), 60)
    seen = []

    def take_over():
        with closing(SqlStore(url)) as mine:
            begun.wait()
            assert mine.acquire("first", holder("new"), 60, over="old")
            seen.extend(mine.candidates("first"))

    begun = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(take_over)
        with store._writing("first") as (connection, search_id):
            begun.set()
            rows = [codec.candidate_row(search_id, candidate(number)) for number in (1, 2, 3)]
            for row in rows:
                connection.execute(insert(tables.candidates), row)
        waiting.result(timeout=20)

    assert [one.id for one in seen] == [0, 1, 2, 3]
    with pytest.raises(LeaseLost):
        store.add_candidates("first", [candidate(4)])


def test_it_is_the_database_s_clock_that_counts(store, monkeypatch):
    """A lease of a minute ends in a minute of the database, whatever this process believes."""
    monkeypatch.setattr("time.time", lambda: 0.0)
    store.acquire("first", holder("a"), 60)
    clock = {
        "sqlite": "SELECT expires - strftime('%s', 'now') FROM leases",
        "postgresql": "SELECT expires - extract(epoch FROM now())::float FROM leases",
    }[store.engine.dialect.name]
    with writing(store.engine) as connection:
        left = connection.exec_driver_sql(clock).scalar()

    assert 55 < left < 61


def test_a_deleted_search_takes_its_lease_along(store):
    """Nothing is left of it."""
    store.acquire("first", holder("a"), 60)
    with writing(store.engine) as connection:
        connection.exec_driver_sql("DELETE FROM searches")
        assert connection.exec_driver_sql("SELECT count(*) FROM leases").scalar() == 0
