"""What a hundred watchers cost: how soon they have an outcome, and how much slower a search is.

``python -m tests.benchmarks.watching [--watchers 100] [--repeats 5] [--evaluations 1000]``

On an SQLite file and on a real Postgres, with ``vlga serve`` as a user starts it. An outcome is
recorded every 0.7 s; it has come when the last watcher's stream has it. What it takes to fetch the
whole page, once, is added; no browser draws it. A search at full speed, whose trainings take no
time, then runs alone and watched, in pairs. At the end the service is asked to stop with all
streams open.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from db.store import SqlStore
from tests.benchmarks.ledger_driver import outcome, run_search
from tests.benchmarks.service import memory_mb, serving
from tests.benchmarks.timing import print_table
from tests.support import postgres
from tests.support.records import candidate, record

_N_OUTCOMES, _PAUSE_SECONDS = 20, 0.7
_LIVE = "live"
_ID = re.compile(rb"^id: (\d+)$", re.MULTILINE)


class Watchers:
    """Streams of one search, from when it is there, read by a process of their own.

    Args:
        address: of the service.
        token: that lets them in.
        search: its name.
        n: of them.
    """

    def __init__(self, address: str, token: str, search: str, n: int) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.watching", "--watch"]
        self._n = n
        self._process = subprocess.Popen(
            [*command, address, search, str(n)],
            env={**os.environ, "VLGA_TOKEN": token},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait(self) -> None:
        """Return when all of them watch."""
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def close(self) -> dict[int, float]:
        """Give for each outcome that every watcher has been told, when the last one was."""
        out, _ = self._process.communicate()
        told = json.loads(out.splitlines()[-1])
        return {int(key): at for key, (n, at) in told.items() if n == self._n}


async def _watch(address: str, search: str, n: int) -> None:
    """Watch until the standard input ends; print how many had each outcome, and the last time."""
    where, told, last = urlsplit(address), Counter[int](), dict[int, float]()
    request = (
        f"GET /api/v1/events?search={search} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {os.environ['VLGA_TOKEN']}\r\n\r\n"
    )

    async def stream() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while True:
            reader, writer = await asyncio.open_connection(where.hostname, where.port)
            writer.write(request.encode())
            if b" 200 " in await reader.readline():
                return reader, writer
            writer.close()
            await asyncio.sleep(0.05)

    async def follow(begun: asyncio.Semaphore) -> None:
        reader, writer = await stream()
        await reader.readuntil(b"event: search")
        begun.release()
        while line := await reader.readline():
            found = _ID.match(line.rstrip())
            if found:
                told[int(found[1])] += 1
                last[int(found[1])] = time.time()
        writer.close()

    begun = asyncio.Semaphore(0)
    _, writer = await stream()  # the search is there
    writer.close()
    tasks = [asyncio.create_task(follow(begun)) for _ in range(n)]
    for _ in range(n):
        await begun.acquire()
    print("watching", flush=True)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    reading = (sys.stdin.read, lambda: loop.call_soon_threadsafe(ended.set))
    threading.Thread(target=lambda: [one() for one in reading], daemon=True).start()
    await ended.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    print(json.dumps({number: (told[number], at) for number, at in last.items()}))


def _delays(url: str, address: str, token: str, n: int) -> list[float]:
    """Give for each outcome the seconds until all watchers have it, and a fetch of the page."""
    store = SqlStore(url)
    store.create_search(record(_LIVE))
    store.add_candidates(_LIVE, [candidate(number) for number in range(_N_OUTCOMES)])
    watchers = Watchers(address, token, _LIVE, n)
    watchers.wait()
    recorded = []
    for number in range(_N_OUTCOMES):
        store.add_evaluations(_LIVE, [outcome(number, number)])
        recorded.append(time.time())
        time.sleep(_PAUSE_SECONDS)
    time.sleep(2 * _PAUSE_SECONDS)  # the last one
    store.close()
    told = watchers.close()  # of several at once by the number of the last
    request = Request(f"{address}/s/{_LIVE}", headers={"Authorization": f"Bearer {token}"})
    began = time.perf_counter()
    with urlopen(request) as answer:
        answer.read()
    fetched = time.perf_counter() - began
    return [
        min(at for last, at in told.items() if last >= number) - since + fetched
        for number, since in enumerate(recorded, 1)
    ]


def _slow_down(url: str, address: str, token: str, options: argparse.Namespace) -> list[float]:
    """Give for each pair of searches how many times as long the watched one takes."""
    ratios = []
    run_search(url, "first", "random_search", options.evaluations)  # loads what is loaded once
    for repeat in range(options.repeats):
        seconds = {}
        for is_watched in (False, True) if repeat % 2 else (True, False):
            name = f"{repeat}-{is_watched}"
            with ExitStack() as watching:
                if is_watched:
                    watchers = Watchers(address, token, name, options.watchers)
                    watching.callback(watchers.close)
                run = run_search(url, name, "random_search", options.evaluations)
            seconds[is_watched] = run.own
        ratios.append(seconds[True] / seconds[False])
    return ratios


def main() -> None:
    """Measure both databases and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--watchers", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--evaluations", type=int, default=1000, help="of a search at full speed")
    parser.add_argument("--watch", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.watch:
        address, search, n = options.watch
        asyncio.run(_watch(address, search, int(n)))
        return
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for kind in ("sqlite", "postgres"):
            url = f"sqlite:///{name}/vlga.db" if kind == "sqlite" else postgres.empty_database()
            SqlStore(url).close()
            with serving(url, Path(name)) as (address, token, _, process_id):
                delays = _delays(url, address, token, options.watchers)
                ratios = _slow_down(url, address, token, options)
                memory = memory_mb(process_id)
                with closing(Watchers(address, token, _LIVE, options.watchers)) as watchers:
                    watchers.wait()
                    began = time.perf_counter()
                    os.kill(process_id, signal.SIGTERM)
                    os.waitid(os.P_PID, process_id, os.WEXITED | os.WNOWAIT)
                    ended = time.perf_counter() - began
            rows.append(
                {
                    kind: f"{options.watchers} watchers",
                    "seconds to the screen": f"{statistics.median(delays):.2f}",
                    "at most": f"{max(delays):.2f}",
                    "search slower": f"{statistics.median(ratios):.3f}",
                    "from, to": f"{min(ratios):.3f}, {max(ratios):.3f}",
                    "service MB": f"{memory:.0f}",
                    "ended after s": f"{ended:.2f}",
                }
            )
            print_table(rows[-1:])


if __name__ == "__main__":
    main()
