"""Every implementation of `Queue` keeps its contract."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from db.service.queue import SqlQueue
from db.store import SqlStore
from tests.contracts.queue_contract import QueueContract, submission
from tests.support.fake_queue import MemoryQueue
from tests.support.fakes import MemoryStore
from vlga.errors import ConfigError, SearchExists, SearchNotFound
from vlga.ports.queue import Wish

Jump = Callable[[float], None]


class TestMemoryQueue(QueueContract):
    @pytest.fixture
    def jump(self) -> Jump:
        def move(seconds: float) -> None:
            self.passed += seconds

        return move

    @pytest.fixture
    def store(self) -> MemoryStore:
        self.passed = 0.0
        made = MemoryStore()
        made.clock = lambda: time.time() + self.passed
        return made

    @pytest.fixture
    def queue(self, store: MemoryStore) -> MemoryQueue:
        return MemoryQueue(store)

    @pytest.fixture
    def other(self, queue: MemoryQueue) -> MemoryQueue:
        return queue


class OnSql(QueueContract):
    """What the databases share: their clocks cannot be moved, so the ends of what expires are."""

    @pytest.fixture
    def jump(self, store: SqlStore) -> Jump:
        def move(seconds: float) -> None:
            with store.engine.begin() as connection:
                for what in (
                    "leases SET expires = expires",
                    "submissions SET claim_expires = claim_expires",
                ):
                    connection.exec_driver_sql(f"UPDATE {what} - {seconds}")

        return move

    @pytest.fixture
    def queue(self, store: SqlStore) -> SqlQueue:
        return SqlQueue(store.engine)

    @pytest.fixture
    def other(self, store: SqlStore) -> Iterator[SqlQueue]:
        with closing(SqlStore(store.engine.url.render_as_string(hide_password=False))) as second:
            yield SqlQueue(second.engine)

    def test_of_many_at_once_one_is_first(self, store: SqlStore):
        """Of eight processes that submit a name, or claim it, one does; no other error comes."""
        url = store.engine.url.render_as_string(hide_password=False)
        submitted, claimed, keyed = [], [], []
        begin = threading.Barrier(8)

        def try_all(number: int) -> None:
            with closing(SqlStore(url)) as mine:
                queue = SqlQueue(mine.engine)
                queue.n_waiting()  # connected
                begin.wait()
                with suppress(SearchExists):
                    submitted.append(queue.submit(submission()))
                begin.wait()
                keyed.append(queue.submit(submission(f"by-key-{number}"), key="k", body="b"))
                claimed.append(queue.claim("first", str(number), 60))

        threads = [threading.Thread(target=try_all, args=(number,)) for number in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

        assert submitted == [True]
        assert sorted(keyed) == sorted(claimed) == [False] * 7 + [True]

    def test_text_that_no_database_takes_costs_nothing(self, queue: SqlQueue, other: SqlQueue):
        """A NUL and half of a surrogate pair become U+FFFD; a name with them is an unknown one."""
        queue.submit(submission(note="a\0b"), key="k\ud800", body="\0")
        assert not other.submit(submission(), key="k\ud800", body="\0")
        queue.change("first", "bert\ud800", "stopped", wanted=Wish.STOP, note="\udfff")
        queue.act("anna", "started", "first", "\0")

        assert other.find("first").submission.note == "\N{REPLACEMENT CHARACTER}"
        newest = other.actions("first")
        assert [one.who for one in newest] == ["anna", "bert\N{REPLACEMENT CHARACTER}", "anna"]
        assert newest[0].detail == "\N{REPLACEMENT CHARACTER}"
        for name in ("a\0b", "\ud800"):
            with pytest.raises(SearchNotFound):
                other.find(name)
            assert not other.claim(name, "one", 30)
            other.unclaim(name, "one")
            other.remove(name)
            assert other.actions(name) == []
        with pytest.raises(ConfigError, match="must come with one request only"):
            other.submit(submission(), key="k\ud800", body="other")


class TestSqlite(OnSql):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SqlStore]:
        with closing(SqlStore(f"sqlite:///{tmp_path}/vlga.db")) as opened:
            yield opened


class TestPostgres(OnSql):
    @pytest.fixture
    def store(self, empty_postgres: str) -> Iterator[SqlStore]:
        with closing(SqlStore(empty_postgres)) as opened:
            yield opened
