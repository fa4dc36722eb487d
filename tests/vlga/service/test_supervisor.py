"""A supervisor with real processes: what is wanted of searches happens to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from db.service.queue import SqlQueue
from db.store import SqlStore
from tests.support.command import SMALL, vlga
from tests.support.forked import spawner
from tests.support.ledger import ledger
from tests.support.waiting import until
from vlga.config.load import load_config
from vlga.ports.queue import Submission, Wish, wish
from vlga.ports.state import State, state_of
from vlga.service import child
from vlga.service.supervisor import Supervisor

#: So long that nobody waits for its end.
ENDLESS = (*SMALL[1:], "--set", "strategy=random_search", "--set", "budget.evaluations=100000")
SERVICE = """
import sys, threading
from vlga.service.supervisor import Supervisor
Supervisor(sys.argv[1], inline=True).start()
threading.Event().wait()
"""


def submission(name: str, *words: str, **values: Any) -> Submission:
    """Give a submission with the settings of a command line."""
    settings = load_config(settings=words[1::2]).model_dump(mode="json")
    return Submission(name, settings, created_by="anna", **values)


@pytest.fixture
def forked(processes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that begin at once."""
    monkeypatch.setattr(child, "_spawn", spawner(processes))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VLGA_DB", raising=False)
    return tmp_path


@pytest.fixture
def url(home: Path) -> str:
    return f"sqlite:///{home}/vlga.db"


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    with closing(SqlStore(url)) as opened:
        yield opened


@pytest.fixture
def queue(store: SqlStore) -> SqlQueue:
    return SqlQueue(store.engine)


@contextmanager
def supervised(url: str, **options: Any) -> Iterator[Supervisor]:
    """Let a supervisor work for the length of a block; its searches end with it."""
    supervisor = Supervisor(url, inline=True, stop_searches=True, **options)
    supervisor.start()
    with closing(supervisor):
        yield supervisor


@pytest.fixture
def becomes(queue: SqlQueue) -> Callable[..., None]:
    def wait(name: str, *states: State) -> None:
        def is_so() -> bool:
            watched = queue.find(name)
            is_over = watched.submission.is_settled or State.RUNNING in states
            return is_over and state_of(watched) in states

        until(is_so, 120, lambda: (queue.find(name), log(name)))

    return wait


def log(name: str) -> str:
    file = Path(f"vlga-logs/{name}.log")
    return file.read_text() if file.exists() else ""


@pytest.mark.usefixtures("forked")
def test_searches_run_in_their_order_as_from_the_command_line(url, store, queue, becomes, home):
    """One at a time, by priority; ledgers equal to the bit; a broken one fails with its line."""
    broken = submission("broken", *SMALL[1:], "--set", "data.name=nowhere", priority=2)
    queue.submit(submission("low", *SMALL[1:], "--set", "seed=1"))
    queue.submit(submission("high", *SMALL[1:], priority=1))
    queue.submit(broken)
    with supervised(url):
        for name in ("broken", "high", "low"):
            becomes(name, State.COMPLETED, State.FAILED)
    ends, starts, submitted = zip(
        *(queue.actions(name) for name in ("broken", "high", "low")), strict=True
    )

    assert {one.what for one in ends} == {"ended"}
    assert {one.what for one in submitted} == {"submitted"}
    assert starts[0].at < ends[0].at < starts[1].at < ends[1].at < starts[2].at
    failed = queue.find("broken")
    assert state_of(failed) is State.FAILED
    assert failed.seen.status is None
    assert "data.name" in failed.submission.note or "'nowhere'" in failed.submission.note
    assert log("broken").endswith(f"vlga: {failed.submission.note}\n")
    assert store.lease("high") is None
    assert Path("vlga-logs/high.log").stat().st_mode & 0o777 == 0o600

    by_hand = home / "by_hand"
    by_hand.mkdir()
    other = f"sqlite:///{by_hand}/vlga.db"
    for name, seed in (("high", "0"), ("low", "1")):
        told = vlga("search", *SMALL, "--set", f"seed={seed}", "--name", name, "--db", other)
        assert told.code == 0
    assert ledger(url) == ledger(other)

    queue.change("high", "bert", "deleted", **wish(Wish.DELETE))
    assert {file.parent.name for file in home.glob("vlga.db-files/*/*/*")} == {"high", "low"}
    with supervised(url):
        until(lambda: queue.actions("high")[0].who == "the service")
    assert {file.parent.name for file in home.glob("vlga.db-files/*/*/*")} == {"low"}


@pytest.mark.usefixtures("forked")
def test_what_is_wanted_happens(url, store, queue, becomes):
    """Pause, resume, kill -9, stop, delete: nothing is lost, nothing trained twice, all is told."""
    queue.submit(submission("first", *ENDLESS))

    def n_outcomes() -> int:
        outcomes = store.evaluations("first")
        assert len({one.candidate_id for one in outcomes}) == len(outcomes)
        return len(outcomes)

    def runs_on() -> int:
        becomes("first", State.RUNNING)
        before = n_outcomes()
        until(lambda: n_outcomes() > before)
        lease = store.lease("first")
        assert lease is not None
        return lease.holder.process_id

    with supervised(url) as supervisor:
        runs_on()
        queue.change("first", "bert", "paused", **wish(Wish.PAUSE))
        supervisor.wake()
        becomes("first", State.PAUSED)
        assert store.lease("first") is None
        assert store.find_search("first").status == "interrupted"
        paused_at = n_outcomes()

        resumed = wish(Wish.RUN, changes=("budget.evaluations=99999",))
        queue.change("first", "bert", "resumed", **resumed)
        supervisor.wake()
        process_id = runs_on()
        assert n_outcomes() > paused_at
        assert store.find_search("first").config.budget.evaluations == 99999
        assert queue.find("first").submission.changes == ()

        os.kill(process_id, signal.SIGKILL)
        until(lambda: store.lease("first").holder.process_id != process_id)
        assert runs_on() != process_id

        queue.change("first", "bert", "stopped", **wish(Wish.STOP))
        supervisor.wake()
        becomes("first", State.STOPPED)
        queue.change("first", "bert", "deleted", **wish(Wish.DELETE))
        supervisor.wake()
        until(lambda: queue.actions("first")[0].who == "the service")
    told = [(one.who, one.what, one.detail) for one in reversed(queue.actions("first"))]

    assert told == [
        ("anna", "submitted", ""),
        ("the service", "started", ""),
        ("bert", "paused", ""),
        ("the service", "ended", "paused"),
        ("bert", "resumed", ""),
        ("the service", "started", ""),
        ("the service", "started", ""),
        ("bert", "stopped", ""),
        ("the service", "ended", "stopped"),
        ("bert", "deleted", ""),
        ("the service", "deleted", ""),
    ]
    assert vlga("list", "--db", url).err.startswith("no searches yet")
    assert log("first") == ""


def test_a_killed_service_s_searches_are_adopted(url, store, queue, becomes):
    """They go on; the next service starts no other process, and ends them as it is told."""
    queue.submit(submission("first", *ENDLESS))
    environment = {**os.environ, "VLGA_TOKEN": "secret"}
    with subprocess.Popen([sys.executable, "-c", SERVICE, url], env=environment) as service:
        until(lambda: state_of(queue.find("first")) is State.RUNNING, 120, lambda: log("first"))
        service.kill()
    until(lambda: store.evaluations("first"))
    lease = store.lease("first")
    of_process = Path(f"/proc/{lease.holder.process_id}")
    assert b"vlga.db" not in (of_process / "cmdline").read_bytes()
    assert b"VLGA_TOKEN" not in (of_process / "environ").read_bytes()
    assert os.getsid(lease.holder.process_id) == lease.holder.process_id

    supervisor = Supervisor(url, inline=True)
    supervisor.start()
    n_before = len(store.evaluations("first"))
    until(lambda: len(store.evaluations("first")) > n_before + 20)
    supervisor.close()
    assert store.lease("first").holder == lease.holder
    with supervised(url):
        pass  # its searches end with it, as in a container, and go on with the next
    assert state_of(queue.find("first")) is not State.RUNNING
    assert store.find_search("first").status == "interrupted"
    assert [one.what for one in queue.actions("first")] == ["started", "submitted"]
