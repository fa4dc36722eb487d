"""What readers cost a search that writes to the same SQLite file at full speed.

Sixteen processes, each with a connection of its own, ask for what ``vlga top`` shows every 0.5 to
1 s, as pages that people watch would; the search's trainings take no time. Readers that never pause
would measure how many cores there are, not whether they wait for each other.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import Event, Thread

from db.connection.engine import open_engine
from db.read import searches as queries
from tests.benchmarks.ledger_driver import Run, run_search

__all__ = ["READERS", "slow_down"]

READERS = 16
_PAUSE_SECONDS = (0.5, 1.0)


def slow_down(n: int, repeats: int) -> list[tuple[Run, Run]]:
    """Run searches of `n` evaluations alone and with readers, each pair one after the other.

    Returns:
        Pairs of (alone, with readers); which of the two ran first alternates.

    Raises:
        RuntimeError: a reader failed, for instance at a locked database.
    """
    pairs = []
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/vlga.db"
        run_search(url, "first", "random_search", n)  # what is loaded once is not counted
        for repeat in range(repeats):
            runs = {}
            for read in (False, True) if repeat % 2 else (True, False):
                with _readers(url) if read else nullcontext():
                    runs[read] = run_search(url, f"{repeat}-{read}", "random_search", n)
            pairs.append((runs[False], runs[True]))
    return pairs


@contextmanager
def _readers(url: str) -> Iterator[None]:
    """Let processes read the database until the block ends."""
    command = [sys.executable, "-m", "tests.benchmarks.ledger_readers", url]
    readers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(READERS)
    ]
    try:
        for reader in readers:
            reader.stdout.readline()  # it has read once
        yield
    finally:
        for reader in readers:
            reader.stdin.close()
        codes = [reader.wait() for reader in readers]
        if any(codes):
            raise RuntimeError("a reader failed; its message is above")


def _read_until_told(url: str) -> None:
    """Read as `vlga top` does, with a pause after it, until the standard input ends."""
    told = Event()
    Thread(target=lambda: (sys.stdin.read(), told.set()), daemon=True).start()
    engine = open_engine(url)
    while True:
        searches = queries.list_searches(engine, limit=1)
        queries.top(engine, searches[0]["name"])
        print("read", flush=True)
        if told.wait(random.uniform(*_PAUSE_SECONDS)):
            return


if __name__ == "__main__":
    _read_until_told(sys.argv[1])
