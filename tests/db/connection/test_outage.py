"""A database that is away for a while: what waits, for how long, and that nothing is done twice."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from db.connection.engine import writing
from db.connection.outage import Patience
from db.schema.tables import leases
from db.store import SqlStore
from tests.support import postgres
from tests.support.ledger import ledger
from tests.support.records import candidate, evaluation, record
from tests.support.searching import Clock, ScriptedEvaluator, run_in, small_config
from vlga.errors import LeaseLost, StoreError, StoreUnavailable
from vlga.execution import hold
from vlga.execution.driver import Search
from vlga.execution.hold import held
from vlga.ports.lease import Holder
from vlga.ports.ledger import Artifact


@pytest.fixture(autouse=True)
def _messages(caplog: pytest.LogCaptureFixture) -> None:
    """Let every message of the package be heard."""
    caplog.set_level(logging.INFO, logger="db")


class Away:
    """A database that does not answer the first few calls.

    Attributes:
        n_left: calls until it answers.
        moments: of each call, as `patience` has them, and whether it was known for a repetition.
    """

    def __init__(self, n_left: int, seconds: float = 10.0) -> None:
        self.n_left = n_left
        self.pauses: list[float] = []
        self.moments: list[Any] = []
        self.clock = Clock()
        self.patience = Patience(seconds, clock=self.clock, sleep=self._sleep)

    def ask(self) -> str:
        return self.patience.run(self._call)

    def _call(self) -> str:
        self.moments.append((self.patience.moment, self.patience.is_repeated))
        if self.n_left:
            self.n_left -= 1
            raise StoreUnavailable("database x: it does not answer")
        return "here"

    def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.now += seconds


class TestPatience:
    def test_waits_with_growing_pauses_and_says_so_once(self, caplog):
        """The call succeeds as if nothing had been; two lines tell of it, however long it took."""
        database = Away(7)

        assert database.ask() == "here"
        assert database.pauses == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
        assert caplog.messages == [
            "database x: it does not answer; waiting for it, for at most 10 s",
            "the database answers again after 3.5 s; going on",
        ]

    def test_says_nothing_of_a_database_that_answers(self, caplog):
        """Nor does it pause."""
        database = Away(0)

        assert database.ask() == "here"
        assert database.pauses == caplog.messages == []

    def test_ends(self):
        """The call fails when the time is over, and not later than that."""
        database = Away(10**6)

        with pytest.raises(StoreUnavailable, match=r"x: it does not answer; given up after 10 s"):
            database.ask()
        assert 9 <= sum(database.pauses) <= 10

    def test_that_has_ended_is_not_spent_again_until_the_database_answered(self, caplog):
        """What else is to be saved on the way out fails at once; later there is patience again."""
        database = Away(10**6)
        with pytest.raises(StoreUnavailable):
            database.ask()
        n_pauses, n_lines = len(database.pauses), len(caplog.messages)

        with pytest.raises(StoreUnavailable, match=r"does not answer; given up after 10 s$"):
            database.ask()
        assert (len(database.pauses), len(caplog.messages)) == (n_pauses, n_lines)
        database.n_left = 0
        database.ask()
        database.n_left = 2
        assert database.ask() == "here"

    def test_ends_with_ctrl_c(self, caplog):
        """As an outage, which says what was not saved, and at once for what comes after it."""
        database = Away(10**6)

        def interrupt(seconds):
            raise KeyboardInterrupt

        database.patience._sleep = interrupt
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match=r"not answer; given up by Ctrl-C$"):
                database.ask()
        assert len(caplog.messages) == 1

    def test_is_for_outages_only(self, caplog):
        """Whatever else is wrong is said at once."""
        database = Away(0)

        def refuse():
            raise StoreError("the disk is full")

        with pytest.raises(StoreError, match="the disk is full"):
            database.patience.run(refuse)
        assert caplog.messages == []

    def test_is_none_unless_asked_for(self, caplog):
        """A store by itself waits for nothing."""
        database = Away(1, seconds=0)

        with pytest.raises(StoreUnavailable, match=r"it does not answer$"):
            database.ask()
        assert database.pauses == caplog.messages == []

    def test_knows_a_repetition(self):
        """Every try of a call has its first one's moment; the next call has its own."""
        database = Away(2)
        database.ask()
        (first, *again), repeated = zip(*database.moments, strict=True)
        database.ask()

        assert set(again) == {first}
        assert repeated == (False, True, True)
        assert database.moments[-1][0] > first
        assert not database.moments[-1][1]


def searched(store: SqlStore, folder: Path, patience: Patience) -> None:
    """Search with a driver that trains nothing, looking at its lease all the time."""
    config = small_config("budget.phases=1", "population.avoid_duplicates=false")
    evaluator = ScriptedEvaluator()
    run = run_in(store, config, evaluator, folder, clock=Clock())
    with held(store, "first") as hold:
        store.patience = patience
        winner = Search(replace(run, asked_to_stop=hold.check)).run()
        weights = Artifact(winner.id, "final_weights", "0.pt", "ab" * 32, 1)
        store.add_evaluations(
            "first", [evaluation(winner.id)], [weights], is_final=True, status="completed"
        )
        store.patience = Patience()


@pytest.fixture
def server(empty_postgres: str) -> Iterator[str]:
    """An empty database of a server that a test may stop."""
    yield empty_postgres
    postgres.start()


@pytest.fixture
def store(server: str) -> Iterator[SqlStore]:
    """A store there."""
    with closing(SqlStore(server)) as opened:
        yield opened


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_connection_lost_at_a_commit_costs_nothing(
    store, server, tmp_path, moment, *, monkeypatch, caplog
):
    """Each first try loses it, just before the server commits or just after: same ledger.

    Whoever commits cannot tell which it was.
    """
    monkeypatch.setattr(hold, "RENEW_SECONDS", 0.0)
    undisturbed = f"sqlite:///{tmp_path}/whole.db"
    with closing(SqlStore(undisturbed)) as whole:
        searched(whole, tmp_path, Patience())
    patience = Patience(60, sleep=lambda _: None)
    commit, n_lost = store.engine.dialect.do_commit, 0

    def commit_or_lose(pooled):
        nonlocal n_lost
        connection = pooled.driver_connection
        if store.patience is not patience or patience.is_repeated:
            return commit(pooled)
        n_lost += 1
        if moment == "after":
            commit(pooled)
        postgres.disconnect(connection.info.backend_pid)
        return connection.execute("COMMIT")  # asks the server, whatever the driver believes

    monkeypatch.setattr(store.engine.dialect, "do_commit", commit_or_lose)
    searched(store, tmp_path, patience)

    assert n_lost > 20
    assert len(caplog.messages) == 2 * n_lost
    assert ledger(server) == ledger(undisturbed)


class TestLease:
    """Of a driver whose database was away for longer than its lease."""

    @pytest.fixture(autouse=True)
    def _held(self, store):
        store.create_search(record("first"))
        store.add_candidates("first", [candidate(0)])
        store.acquire("first", Holder("a", "anna's", 11, ""), 60)
        with writing(store.engine) as connection:
            connection.execute(update(leases).values(expires=0))

    def test_nobody_took_over(self, store):
        """It goes on, and holds the search again."""
        postgres.stop("immediate")
        store.patience = Patience(60, sleep=lambda _: postgres.start())
        store.add_evaluations("first", [evaluation(0)])

        assert [one.candidate_id for one in store.evaluations("first")] == [0]
        assert not store.lease("first").has_expired

    def test_somebody_took_over(self, store, server):
        """What waited is refused, and so is everything later."""

        def take_over(_):
            postgres.start()
            with closing(SqlStore(server)) as other:
                other.acquire("first", Holder("b", "bert's", 22, ""), 60)

        postgres.stop("fast")
        store.patience = Patience(60, sleep=take_over)

        for _ in range(2):
            with pytest.raises(LeaseLost, match=r"is run by process 22 on .bert's."):
                store.add_evaluations("first", [evaluation(0)])
        assert store.evaluations("first") == []


def test_a_lock_that_another_holds_for_long_is_waited_for(tmp_path, caplog):
    """On SQLite, where one process writes at a time, beyond the patience of SQLite itself."""
    url = f"sqlite:///{tmp_path}/vlga.db?timeout=0.01"
    with closing(SqlStore(url)) as store, closing(SqlStore(url)) as other:
        store.create_search(record("first"))
        store.add_candidates("first", [candidate(0)])
        with ExitStack() as stack:
            stack.enter_context(writing(other.engine))
            store.patience = Patience(60, sleep=lambda _: stack.close())
            store.add_evaluations("first", [evaluation(0)])

        assert len(caplog.messages) == 2
        assert "another holds the lock for too long" in caplog.messages[0]
        assert len(store.evaluations("first")) == 1
