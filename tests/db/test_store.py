"""What `SqlStore` does beyond the contract: durability, readers, moments, strange text."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from db.connection.engine import open_engine, reading, writing
from db.read import searches as queries
from db.schema.tables import evaluations, searches
from db.store import SqlStore
from tests.support.records import candidate, evaluation, record
from vlga.errors import StoreError
from vlga.ports.evaluation import FailureReason, Source
from vlga.ports.ledger import Artifact

#: Records one outcome of candidate 0 in the database at argv[1], then dies without closing.
WRITE_AND_DIE = """
import os, signal, sys
from db.store import SqlStore
from tests.support.records import evaluation
SqlStore(sys.argv[1], create=False).add_evaluations("first", [evaluation(0)])
os.kill(os.getpid(), signal.SIGKILL)
"""
#: Dies between the rows of an evaluation and those of its curve.
DIE_HALFWAY = """
import os, signal, sys
from db import store
from db.ledger import codec
from tests.support.records import evaluation
codec.epoch_rows = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
store.SqlStore(sys.argv[1], create=False).add_evaluations("first", [evaluation(0)])
"""
#: Prints how many outcomes a reader sees.
COUNT = """
import sys
from db.connection.engine import open_engine
from db.read import searches
print(sum(searches.show_search(open_engine(sys.argv[1]), "first")["evaluations"].values()))
"""


def run(script: str, url: str) -> subprocess.CompletedProcess[str]:
    """Run a script in another process, at most 20 s."""
    command = [sys.executable, "-c", script, url]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)


@pytest.fixture
def store(url):
    """A store with the search `first` and its candidate 0."""
    opened = SqlStore(url)
    opened.create_search(record("first"))
    opened.add_candidates("first", [candidate(0)])
    yield opened
    opened.close()


class TestDurability:
    @pytest.fixture
    def tmp_path(self, disk: Path) -> Path:
        """A real folder: in memory nothing has to be flushed."""
        return disk

    def test_what_was_recorded_survives_a_kill(self, store, url):
        """An outcome is there although its writer was killed right after recording it."""
        assert run(WRITE_AND_DIE, url).returncode == -signal.SIGKILL

        assert [one.candidate_id for one in store.evaluations("first")] == [0]
        assert len(queries.individual(store._engine, "first", 0)["evaluations"][0]["curve"]) == 2

    def test_half_an_outcome_does_not_survive(self, store, url):
        """Of an outcome whose writer was killed halfway nothing is there, and writing goes on."""
        assert run(DIE_HALFWAY, url).returncode == -signal.SIGKILL

        assert store.evaluations("first") == []
        store.add_evaluations("first", [evaluation(0)])
        assert queries.show_search(store._engine, "first")["evaluations"]["completed"] == 1

    def test_a_store_opens_where_another_closed(self, url, store):
        """A search goes on in the database that an earlier process left."""
        store.add_evaluations("first", [evaluation(0)])
        store.close()

        again = SqlStore(url, create=False)
        assert len(again.evaluations("first")) == 1
        again.close()

    def test_going_on_needs_a_database(self, tmp_path):
        """Without `create`, a store is opened only where there is one."""
        with pytest.raises(StoreError, match="no database at"):
            SqlStore(f"sqlite:///{tmp_path}/vlga.db", create=False)


class TestReaders:
    def test_a_reader_never_waits_nor_sees_half(self, store, url):
        """Another process reads at once, during a write, what was there before it."""
        store.add_evaluations("first", [evaluation(0)])
        with writing(store._engine) as connection:
            connection.execute(update(searches).values(n_completed=100, n_failed=100))
            during = run(COUNT, url)
        after = run(COUNT, url)

        assert (during.stdout.strip(), after.stdout.strip()) == ("1", "200")

    def test_counts_are_the_rows(self, store):
        """The counts kept with a search are those of its rows, however they came."""
        store.add_evaluations("first", [evaluation(0), evaluation(0, reason=FailureReason.ERROR)])
        taken = [replace(evaluation(0), source=one) for one in Source if one is not Source.TRAINED]
        store.add_evaluations("first", [*taken, evaluation(0)])
        store.add_evaluations("first", [evaluation(0)], is_final=True)

        shown = queries.show_search(store._engine, "first")["evaluations"]
        assert shown == {"completed": 2, "failed": 1, "reused": 2}


class TestRows:
    def test_strange_text_costs_no_outcome(self, store):
        """A message with a NUL or half of a surrogate pair is recorded with U+FFFD for it."""
        strange = "a\0b\ud800c"
        failed = evaluation(0, reason=FailureReason.ERROR)
        failed = replace(failed, message=strange, worker=strange)

        store.add_evaluations("first", [failed])
        store.update_search("first", message=strange)

        (back,) = store.evaluations("first")
        assert back.message == back.worker == "a\ufffdb\ufffdc"
        assert store.find_search("first").message == "a\ufffdb\ufffdc"

    def test_moments_are_aware_and_in_utc(self, store):
        """A moment of any zone comes back as the same moment in UTC, to the microsecond."""
        zone = timezone(timedelta(hours=-7))
        moment = datetime(2026, 3, 1, 20, 30, 0, 123456, tzinfo=zone)
        with writing(store._engine) as connection:
            connection.execute(update(searches).values(created_at=moment))
        with reading(store._engine) as connection:
            back = connection.scalar(select(searches.c.created_at))

        assert back == moment
        assert back.tzinfo is UTC

    def test_an_update_is_dated(self, store):
        """Every change of a search moves its `updated_at`."""
        before = queries.show_search(store._engine, "first")["updated_at"]
        store.update_search("first", seconds=1.0)
        between = queries.show_search(store._engine, "first")["updated_at"]
        store.add_evaluations("first", [evaluation(0)])

        assert before < between < queries.show_search(store._engine, "first")["updated_at"]

    @pytest.mark.parametrize(
        "values",
        [
            {"fitness": 1.5},
            {"fitness": -0.1},
            {"fitness": None},
            {"status": "failed"},
            {"status": "running"},
            {"reason": "error"},
        ],
    )
    def test_the_schema_refuses_an_impossible_outcome(self, store, values):
        """Whatever writes to it, a row is completed with a fitness or failed with a reason."""
        row = {
            "search_id": 1,
            "candidate_id": 0,
            "is_final": False,
            "reused": False,
            "on_budget": True,
            "epochs": 1,
            "seed": 0,
            "status": "completed",
            "message": "",
            "fitness": 0.5,
            "n_parameters": 0,
            "n_macs": 0,
            "train_seconds": 0.0,
            "worker": "",
            "device": "",
            "finished_at": datetime.now(UTC),
        }
        with writing(store._engine) as connection:
            connection.execute(insert(evaluations), row)
        with (
            pytest.raises(StoreError, match="must agree with the schema"),
            writing(store._engine) as connection,
        ):
            connection.execute(insert(evaluations), row | values)

    def test_the_schema_refuses_an_unknown_status(self, store):
        """A search has one of four statuses and a test accuracy in [0, 1]."""
        for change in ({"status": "paused"}, {"test_accuracy": 1.5}):
            with pytest.raises(StoreError, match="must agree with the schema"):
                store.update_search("first", **change)

    def test_a_deleted_search_takes_its_rows_along(self, store):
        """Deleting a search deletes its candidates, evaluations, curves and artifacts."""
        weights = Artifact(0, "weights", "0.pt", "ab" * 32, 1)
        store.add_evaluations("first", [evaluation(0)], [weights])
        with writing(store._engine) as connection:
            connection.exec_driver_sql("DELETE FROM searches")
            for table in ("candidates", "evaluations", "epochs", "artifacts"):
                assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0


def test_two_searches_share_a_database(url):
    """Two drivers write to one database, each to its search."""
    first, second = SqlStore(url), SqlStore(url)
    for store, name in ((first, "first"), (second, "second")):
        store.create_search(record(name))
        store.add_candidates(name, [candidate(0)])
    for _ in range(3):
        first.add_evaluations("first", [evaluation(0)])
        second.add_evaluations("second", [evaluation(0)])

    engine = open_engine(url)
    assert [row["evaluations"] for row in queries.list_searches(engine)] == [3, 3]
    for opened in (first, second):
        opened.close()
    engine.dispose()
