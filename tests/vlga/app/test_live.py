"""What a running search tells its database, against a clock of our own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from db.connection.engine import reading
from db.read.names import find_search_id
from db.read.progress import read_progress
from db.store import SqlStore
from tests.contracts.leases_contract import ANNA, BERT
from tests.support.command import SMALL, vlga
from tests.support.records import candidate, evaluation, record
from tests.support.searching import Clock
from vlga.app import live
from vlga.app.live import ProgressWriter
from vlga.ports.candidate import Individual
from vlga.ports.machines import Machines
from vlga.ports.observer import (
    Ended,
    Evaluated,
    FinalStarted,
    Progress,
    Submitted,
    Updated,
)

BEST = Individual(candidate(0), evaluation(0, fitness=0.75))
PROGRESS = Progress(
    phase=1, generation=2, n_completed=3, n_failed=1, n_reused=0, n_running=2, n_slots=2,
    machines=Machines(2, 1), best=BEST, elapsed_seconds=60.5, done_fraction=0.25,
    seconds_left=180.0, trainings_per_minute=4.0, busy_share=0.5,
)  # fmt: skip


@pytest.fixture
def url(tmp_path) -> str:
    return f"sqlite:///{tmp_path}/vlga.db"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, url: str) -> Iterator[SqlStore]:
    if request.param == "postgres":
        from tests.support import postgres

        url = postgres.empty_database()
    with closing(SqlStore(url)) as opened:
        opened.create_search(record("first"))
        assert opened.acquire("first", ANNA, 60)
        yield opened


def told(store: SqlStore) -> dict[str, Any] | None:
    with reading(store.engine) as connection:
        search_id = find_search_id(connection, "first")
        return read_progress(connection, [search_id, 99]).get(search_id)


def test_everybody_reads_where_a_search_stands(store):
    """What it is told, with who is in training since when; nothing before, nothing after."""
    clock = Clock()
    writer = ProgressWriter("first", store, clock)
    writer(Submitted(candidate(1)))
    assert told(store) is None
    writer(Updated(replace(PROGRESS, n_running=1)))
    clock.now += 5
    for number in (2, 3, 4):
        writer(Submitted(candidate(number)))
    clock.now += 2
    writer(Evaluated(candidate(1), evaluation(1)))
    writer(Evaluated(candidate(9), evaluation(9)))  # known from another search
    clock.now += 1
    writer(Updated(PROGRESS))

    now = told(store)
    assert now is not None
    assert 0 <= now.pop("age_seconds") < 60
    moment = now.pop("moment")
    assert [one["id"] for one in now["running"]] == [2, 3]
    since = [moment - one["since"] for one in now.pop("running")]
    assert since == pytest.approx([3.0, 1.0], abs=1e-5)
    assert now == {
        **{name: getattr(PROGRESS, name) for name in Progress.__slots__},
        "machines": {"n_nodes": 2, "n_gpus": 1, "has_bfloat16": True},
        "best": {"id": 0, "fitness": 0.75},
        "final": None,
    }

    writer(FinalStarted(BEST, 30, 12.5))
    now = told(store)
    assert now is not None
    assert now["final"] == {
        "id": 0, "epochs": 30, "seconds": 12.5, "number": 1, "n_members": 1,
    }  # fmt: skip
    writer(Ended("completed"))
    assert told(store) is None


def test_it_is_written_once_a_second(store, monkeypatch):
    """However often there is something to tell; a later run begins with nothing."""
    monkeypatch.setattr(live, "_COST", 0)  # this machine may be busy
    clock = Clock()
    writer = ProgressWriter("first", store, clock)
    phases = []
    for number in range(40):
        clock.now += 0.1
        writer(Updated(replace(PROGRESS, phase=number)))
        now = told(store)
        phases.append(None if now is None else now["phase"])

    assert 3 <= len({*phases} - {None}) <= 4
    ProgressWriter("first", store, clock)
    assert told(store) is None


def test_it_never_harms_a_search(store):
    """A database that refuses it is no reason to stop, and is asked again later."""
    clock = Clock()
    writer = ProgressWriter("first", store, clock)
    other = SqlStore(store.engine.url.render_as_string(hide_password=False))
    assert other.acquire("first", BERT, 60, over=ANNA.token)
    for event in (Updated(PROGRESS), FinalStarted(BEST, 30), Ended("completed")):
        clock.now += 1000
        writer(event)
    assert told(store) is None
    other.close()
    with store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE progress")
    writer(Updated(PROGRESS))
    clock.now += 1000
    writer(Updated(PROGRESS))


def test_a_search_says_it_and_show_tells_it(url, monkeypatch, tmp_path):
    """While it runs: phase, generation, trainings that go on and the time left; not afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(live, "_COST", 0)
    monkeypatch.setattr(live, "_SECONDS", 0)  # a training may be shorter
    seen: list[dict[str, Any] | None] = []

    def look(writer: ProgressWriter, event: Any) -> None:
        tell(writer, event)
        with closing(SqlStore(url)) as store:
            seen.append(told(store))
        if not shown and seen[-1] is not None and seen[-1]["running"]:
            shown.extend(vlga("show", "first", "--db", url, *more) for more in ((), in_json))

    shown: list[Any] = []
    tell, in_json = ProgressWriter.__call__, ("--format", "json")
    monkeypatch.setattr(ProgressWriter, "__call__", look)
    command = ("search", *SMALL, "--name", "first", "--db", url, "--set", "budget.seconds=600")
    assert vlga(*command).code == 0
    assert any(seen)
    table, as_json = shown

    assert [line for line in table.out.splitlines() if line.startswith("now ")] == [
        line for line in table.out.splitlines() if "phase 0 generation 0, 1 in training" in line
    ]
    assert "budget for " in table.out
    assert as_json.json["state"] == as_json.json["status"] == "running"
    assert as_json.json["progress"]["n_running"] == 1
    after = vlga("show", "first", "--db", url, "--format", "json").json
    assert (after["state"], after["progress"]) == ("completed", None)
    assert "\nnow " not in vlga("show", "first", "--db", url).out
