"""The ledger at a million evaluations: how fast it is read and written, and what a driver holds.

``python -m tests.benchmarks.ledger [--evaluations N] [--simulated N] [--repeats R]``

A script fills an SQLite file and a real Postgres with searches of which one has four fifths of all
evaluations. Of that one everything is read, several times: what the reading commands ask for, a
frame's first page (1,000 candidates) and one from the middle, what ``vlga report`` needs, and the
whole commands, process and imports included. Then outcomes are saved in batches as a driver has
them, each on the disk before the next; a driver runs a simulated search in a process of its own,
whose memory is watched; and a search runs at full speed while others read its file.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial

import psycopg
from sqlalchemy import Engine

from db import frames
from db.read import searches
from db.read.reports import search_genomes, search_outcomes
from db.store import SqlStore
from tests.benchmarks.ledger_driver import outcome
from tests.benchmarks.ledger_fill import BIGGEST, fill
from tests.benchmarks.ledger_readers import READERS, slow_down
from tests.benchmarks.timing import print_table, report
from tests.support import postgres
from tests.support.records import candidate, record
from vlga.execution.hold import held

_PAGE = 1000
_FRAMES = (
    frames.population, frames.evaluations, frames.epochs, frames.lineage, frames.genes,
)  # fmt: skip
#: Outcomes that a driver with sixteen workers records in one transaction.
_BATCH = 16
_SAVED = 2000
_SEARCHED = 3000

Figures = dict[str, float]


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--evaluations", type=int, default=1_000_000)
    parser.add_argument("--simulated", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    n, repeats = options.evaluations, options.repeats
    load = os.getloadavg()[0]
    print(f"{n:,} evaluations; load of the machine at the start {load:.1f}\n")
    reads, rates = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("sqlite", "postgres"):
            url = f"sqlite:///{folder}/vlga.db" if name == "sqlite" else _durable_postgres()
            engine = fill(url, n)
            reads[name] = _reading(engine, url, n, repeats)
            engine.dispose()
            rates[name] = _saving(url, repeats)
    _print_reading(reads)
    print()
    print_table(
        [
            {"evaluations saved a second, durably": database, "in transactions of": size}
            | {key: f"{value:,.0f}" for key, value in rate.items()}
            for database, by_size in rates.items()
            for size, rate in by_size.items()
        ]
    )
    memory = [_memory("variable_length", options.simulated)]
    memory.append(_memory("large_scale_evolution", options.simulated // 20))
    print("\na driver's memory in MB (neither torch nor Ray loaded), a simulated search")
    print_table(memory)
    runs = slow_down(_SEARCHED, 3 * repeats)
    ratios = {
        "wall time": _ratio([(one.seconds, other.seconds) for one, other in runs]),
        "without the wait for a core": _ratio([(one.own, other.own) for one, other in runs]),
    }
    print(
        f"\n{READERS} processes read what vlga top shows, each every 0.5 to 1 s, during a search\n"
        f"of {_SEARCHED:,} evaluations at full speed, over the same search alone; they need cores\n"
        f"as well, of which there are {os.cpu_count()}"
    )
    print_table([{"ratio of": key, **value} for key, value in ratios.items()])
    report(
        benchmark="ledger",
        evaluations=n,
        repeats=repeats,
        load=round(load, 1),
        python=platform.python_version(),
        seconds=reads,
        saved_per_second=rates,
        memory=memory,
        slow_down=ratios,
    )


def _durable_postgres() -> str:
    """Give an empty database on a server that, unlike the tests', waits for the disk."""
    url = postgres.empty_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM RESET fsync")
        connection.execute("SELECT pg_reload_conf()")
    return url


def _reading(engine: Engine, url: str, n: int, repeats: int) -> dict[str, Figures]:
    """Time everything that is read, in seconds."""
    figures = {
        "top": _timed(partial(searches.top, engine, BIGGEST), repeats),
        "show": _timed(partial(searches.show_search, engine, BIGGEST), repeats),
        "list": _timed(partial(searches.list_searches, engine), repeats),
    }
    for frame in _FRAMES:
        page = partial(frame, url, BIGGEST, limit=_PAGE)
        figures[f"{frame.__name__}, first page"] = _timed(page, repeats)
        figures[f"{frame.__name__}, middle page"] = _timed(partial(page, offset=n // 2), repeats)
    figures["report: figures"] = _timed(partial(search_outcomes, engine, BIGGEST), 1)
    ids = range(0, n // 2, max(1, n // 20_000))
    figures["report: 10,000 genomes"] = _timed(partial(search_genomes, engine, BIGGEST, ids), 1)
    for command in (["top", BIGGEST], ["show", BIGGEST], ["list"], ["report", BIGGEST]):
        figures[f"vlga {command[0]}"] = _timed(
            partial(_vlga, *command, "--db", url), 1 if command[0] == "report" else repeats
        )
    return figures


def _timed(read: Callable[[], object], repeats: int) -> Figures:
    """Give the seconds of the first time, when little is in memory, and of more."""
    seconds = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        read()
        seconds.append(time.perf_counter() - started)
    return {
        "first": round(seconds[0], 4),
        "median": round(statistics.median(seconds[1:]), 4),
        "max": round(max(seconds[1:]), 4),
    }


def _vlga(*arguments: str) -> None:
    command = [sys.executable, "-m", "vlga", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _saving(url: str, repeats: int) -> dict[int, Figures]:
    """Give evaluations recorded a second by a driver that holds its search, by batch."""
    store = SqlStore(url, create=False)
    rates = {}
    for size, n in ((_BATCH, _SAVED), (1, _SAVED // 10)):
        name, taken = f"saved-{size}", []
        store.create_search(record(name))
        with held(store, name):
            for repeat in range(repeats + 1):
                started = time.perf_counter()
                for first in range(repeat * n, repeat * n + n, size):
                    ids = range(first, first + size)
                    store.add_candidates(name, [candidate(number) for number in ids])
                    store.add_evaluations(name, [outcome(number, number) for number in ids])
                taken.append(time.perf_counter() - started)
        each = [n / seconds for seconds in taken[1:]]
        rates[size] = {
            "median": round(statistics.median(each)),
            "min": round(min(each)),
            "max": round(max(each)),
        }
    store.close()
    return rates


def _memory(strategy: str, n: int) -> dict[str, object]:
    command = [sys.executable, "-m", "tests.benchmarks.ledger_driver", strategy, str(n)]
    said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {
        "strategy": strategy,
        "evaluations": n,
        "at the start": said["before"],
        "at most": said["peak"],
        "growth": round(said["peak"] - said["before"], 1),
        "evaluations/s": round(n / said["seconds"]),
    }


def _ratio(pairs: list[tuple[float, float]]) -> Figures:
    """Compare the second of each pair with the first."""
    ratios = [other / one for one, other in pairs]
    return {
        "median": round(statistics.median(ratios), 3),
        "min": round(min(ratios), 3),
        "max": round(max(ratios), 3),
    }


def _print_reading(reads: dict[str, dict[str, Figures]]) -> None:
    print_table(
        [
            {"read": what}
            | {
                f"{database} {key}": f"{1000 * figures[what][key]:,.0f} ms"
                for database, figures in reads.items()
                for key in ("first", "median", "max")
            }
            for what in reads["sqlite"]
        ]
    )


if __name__ == "__main__":
    main()
