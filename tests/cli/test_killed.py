"""A search whose process is killed again and again comes to the same end as one left alone."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from db.connection.engine import open_engine, reading
from db.schema import tables
from db.store import SqlStore
from tests.support import postgres
from tests.support.command import SMALL, vlga
from tests.support.ledger import ledger
from tests.support.thorough import LONG
from vlga.cli.main import main
from vlga.execution.hold import held
from workers.evaluators import inline

#: Some forty trainings of about 20 ms in two phases, the second of which inherits weights; the
#: winner's longer one takes several times what the latest kill of it leaves.
SEARCH = (
    "search", *SMALL, "--name", "first",
    "--set", "population.size=8", "--set", "population.generations=4",
    "--set", "budget.phases=2", "--set", "population.stop_margin=1.0",
    "--set", "final.epochs=40",
)  # fmt: skip
#: As many, on three rungs, chosen by a model that is fitted to what is recorded.
LADDER = (
    "search", *SMALL, "--name", "first", "--set", "strategy=ladder", "--set", "training.epochs=9",
    "--set", "population.size=4", "--set", "population.screen=4", "--set", "budget.epochs=80",
    "--set", "final.epochs=40",
)  # fmt: skip
#: By database. SQLite, written by this process itself, has most to lose.
N_KILLS = {"sqlite": 20, "postgresql": 20} if LONG else {"sqlite": 10, "postgresql": 4}


@dataclass(frozen=True, slots=True)
class Moment:
    """When a process is killed.

    Attributes:
        kind: which trainings count, "" for any and " final" for those of winners.
        n: of them must have begun since the process did.
        seconds: after the last of them began, or after the process did if n is 0.
    """

    kind: str
    n: int
    seconds: float

    def has_come(self, begun: list[str]) -> bool:
        """Tell whether the clock starts with the last of these trainings."""
        return sum(of.endswith(self.kind) for of in begun) == self.n


def run(folder: Path, arguments: tuple[str, ...], moment: Moment | None = None) -> None:
    """Run ``vlga`` in a folder, its output into a file; note every training as it begins.

    The process kills itself: from outside, a busy machine would let the moment pass.
    """
    os.chdir(folder)
    with Path("output").open("a") as output:
        for number in (1, 2):
            os.dup2(output.fileno(), number)
    train, begun = inline.evaluate, list[str]()

    def kill_if_due() -> None:
        if moment and moment.has_come(begun):
            kill = threading.Timer(moment.seconds, os.kill, (os.getpid(), signal.SIGKILL))
            kill.daemon = True
            kill.start()

    def train_noted(task: Any, *rest: Any, **options: Any) -> Any:
        begun.append(f"{task.candidate_id}{' final' * task.is_final}")
        with Path("trainings").open("a") as file:
            file.write(f"{os.getpid()} {begun[-1]}\n")
        kill_if_due()
        return train(task, *rest, **options)

    inline.evaluate = train_noted
    kill_if_due()
    main(arguments)


def trainings(folder: Path) -> list[tuple[str, str]]:
    """Give every training that began: whose process, and of which candidate."""
    file = folder / "trainings"
    lines = file.read_text().splitlines() if file.exists() else []
    return [(process, of) for process, _, of in (line.partition(" ") for line in lines)]


@pytest.fixture(scope="module", params=[SEARCH, LADDER], ids=["phases", "ladder"])
def whole(
    request: pytest.FixtureRequest, processes: Any, tmp_path_factory: pytest.TempPathFactory
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """A search's command, and what it leaves if nobody disturbs it."""
    folder = tmp_path_factory.mktemp("whole")
    process = processes.Process(target=run, args=(folder, request.param))
    process.start()
    process.join()
    assert process.exitcode == 0, (folder / "output").read_text()
    return request.param, ledger(f"sqlite:///{folder}/vlga.db")


@pytest.fixture
def tmp_path(disk: Path) -> Path:
    """A real folder: what a killed process leaves in memory was never flushed."""
    return disk


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/vlga.db"
    else:
        yield postgres.empty_database()


def test_killed_at_random_moments_it_ends_as_if_it_had_not_been(processes, whole, url, tmp_path):
    """Same candidates, outcomes, curves, winner, test accuracy and weights, to the bit.

    Only what was in training when its process was killed is trained again. The moments: before
    anything has begun, early and late in a training or while it is recorded, and in the winner's
    longer training. Fewer of them on Postgres, but for HYPOTHESIS_PROFILE=long.
    """
    rng, n_kills = Random(0), N_KILLS[url.partition(":")[0]]
    moments = [
        Moment("", n, rng.uniform(0, 0.04 if n else 0.5))
        for n in rng.choices([0, 1, 1, 2], k=n_kills - 2)
    ]
    moments += [Moment(" final", 1, rng.uniform(0, 0.02)) for _ in range(2)]
    search, expected = whole
    command, killed = (*search, "--db", url), []
    for moment in moments:
        process = processes.Process(target=run, args=(tmp_path, command, moment))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL, (moment, (tmp_path / "output").read_text())
        killed.append(str(process.pid))
        if has_search(url):
            command = ("resume", "first", "--db", url)
    last = processes.Process(target=run, args=(tmp_path, command))
    last.start()
    last.join()

    assert last.exitcode == 0, (tmp_path / "output").read_text()
    assert len(killed) == n_kills
    assert ledger(url) == expected
    begun = trainings(tmp_path)
    for number, (process_id, candidate) in enumerate(begun):
        again = [of for _, of in begun[number + 1 :]]
        was_in_flight = process_id in killed and process_id not in {
            one for one, _ in begun[number + 1 :]
        }
        assert was_in_flight or candidate not in again, (process_id, candidate)
    assert len(begun) > len({of for _, of in begun}), "no kill hit a training"


def test_a_killed_search_is_told_as_lost(processes, url, tmp_path):
    """As soon as its process is gone, by `list` and `show`; who holds it again, runs it."""
    process = processes.Process(
        target=run, args=(tmp_path, (*SEARCH, "--db", url), Moment("", 1, 0.0))
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL, (tmp_path / "output").read_text()

    told = vlga("list", "--db", url)
    assert told.out.splitlines()[2].split()[:2] == ["first", "lost"]
    assert "go on with: vlga resume first --db " in told.err
    assert vlga("show", "first", "--db", url, "--format", "json").json["status"] == "lost"
    with closing(SqlStore(url)) as store:
        assert store.find_search("first").status == "running"
        with held(store, "first"):
            assert vlga("list", "--db", url, "--format", "json").json[0]["status"] == "running"


def has_search(url: str) -> bool:
    """Tell whether the database has the search yet."""
    if url.startswith("sqlite") and not Path(url.removeprefix("sqlite:///")).exists():
        return False
    engine = open_engine(url, create=True)
    with reading(engine) as connection:
        found = connection.scalar(select(tables.searches.c.name))
    engine.dispose()
    return found is not None
