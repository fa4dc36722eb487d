"""Every implementation of `Leases` keeps its contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.store import SqlStore
from tests.contracts.leases_contract import Jump, LeasesContract
from tests.support.fakes import MemoryStore


class TestMemoryStore(LeasesContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()

    @pytest.fixture
    def other(self, store: MemoryStore) -> MemoryStore:
        second = MemoryStore()
        second.searches = store.searches
        return second

    @pytest.fixture
    def jump(self, store: MemoryStore, other: MemoryStore) -> Jump:
        now = 1e9

        def move(seconds: float) -> None:
            nonlocal now
            now += seconds

        store.clock = other.clock = lambda: now
        return move


class OnSql(LeasesContract):
    """What the databases share: their clocks cannot be moved, so the lease's end is."""

    @pytest.fixture
    def jump(self, store: SqlStore) -> Jump:
        def move(seconds: float) -> None:
            with store.engine.begin() as connection:
                connection.exec_driver_sql(f"UPDATE leases SET expires = expires - {seconds}")

        return move


class TestSqliteInMemory(OnSql):
    @pytest.fixture
    def store(self) -> Iterator[SqlStore]:
        opened = SqlStore("sqlite://")
        yield opened
        opened.close()

    @pytest.fixture
    def other(self, store: SqlStore) -> SqlStore:
        second = SqlStore("sqlite://")
        second.close()
        second._engine = store.engine
        return second


class ByUrl(OnSql):
    """Databases that a second driver opens for itself."""

    @pytest.fixture
    def other(self, store: SqlStore) -> Iterator[SqlStore]:
        opened = SqlStore(store.engine.url.render_as_string(hide_password=False))
        yield opened
        opened.close()


class TestSqliteFile(ByUrl):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SqlStore]:
        opened = SqlStore(f"sqlite:///{tmp_path}/vlga.db")
        yield opened
        opened.close()


class TestPostgres(ByUrl):
    @pytest.fixture
    def store(self, empty_postgres: str) -> Iterator[SqlStore]:
        opened = SqlStore(empty_postgres)
        yield opened
        opened.close()
