"""The service at a million evaluations: how long each page and answer takes, and how large it is.

``python -m tests.benchmarks.service [--evaluations N] [--repeats R]``

A script fills an SQLite file and a real Postgres (`ledger_fill`). ``vlga serve`` is then started on
each, as a user starts it, and every page and every answer of REST is asked for `R` times, one after
the other, over HTTP, compressed as a browser wants them, without what a browser keeps. The first
time counts too.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from tests.benchmarks.ledger_fill import BIGGEST, fill
from tests.benchmarks.timing import print_table
from tests.support import postgres

__all__ = ["memory_mb", "serving"]

_SEARCH, _API = f"/s/{BIGGEST}", f"/api/v1/searches/{BIGGEST}"
_COMPARED = "/compare?search=small-0&search=small-1"
_FAR = f"{_API}/candidates?order=id&from_id=500000"
_PAGES = (
    "/", "/new", _SEARCH, f"{_SEARCH}/figures/best", f"{_SEARCH}/1000", _COMPARED,
    "/api/v1/searches", _API, f"{_API}/candidates", _FAR,
    f"{_API}/candidates/1000", f"{_API}/candidates/1000/lineage",
    f"{_API}/evaluations?after=500000", f"{_API}/series", f"{_API}/failures", f"{_API}/files",
    f"{_API}/winner", "/api/v1/settings-schema",
)  # fmt: skip


def main() -> None:
    """Measure both databases and print a table, and one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--evaluations", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=100)
    options = parser.parse_args()
    print(f"{options.evaluations:,} evaluations; load at the start {os.getloadavg()[0]:.1f}\n")
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("sqlite", "postgres"):
            url = f"sqlite:///{folder}/vlga.db"
            if name == "postgres":
                url = postgres.empty_database()
            fill(url, options.evaluations).dispose()
            figures[name] = _measure(url, Path(folder), options.repeats)
    print(json.dumps(figures))


def _measure(url: str, folder: Path, repeats: int) -> dict[str, float]:
    """Ask for everything; give the worst 99th percentile in seconds, and the largest answer."""
    with serving(url, folder) as (address, token, ready, process_id):
        before = memory_mb(process_id)
        rows = []
        for path in _PAGES:
            seconds, sizes = [], []
            for _ in range(repeats):
                started = time.perf_counter()
                sizes.append(len(_get(address + path, token)))
                seconds.append(time.perf_counter() - started)
            seconds.sort()
            rows.append(
                {
                    url.partition(":")[0]: path,
                    "median ms": f"{1000 * seconds[repeats // 2]:.0f}",
                    "p99 ms": f"{1000 * seconds[max(0, round(0.99 * repeats) - 1)]:.0f}",
                    "most ms": f"{1000 * seconds[-1]:.0f}",
                    "kB": f"{max(sizes) / 1000:.0f}",
                }
            )
        print_table(rows)
        after = memory_mb(process_id)
    print(
        f"ready after {ready:.2f} s; {before:.0f} MB at the start, {after:.0f} MB afterwards\n",
        flush=True,
    )
    return {
        "p99_seconds": max(float(row["p99 ms"]) for row in rows) / 1000,
        "largest_kb": max(float(row["kB"]) for row in rows),
        "ready_seconds": round(ready, 2),
        "memory_mb": after,
    }


def _get(url: str, token: str) -> bytes:
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}
    with urlopen(Request(url, headers=headers)) as answer:
        body: bytes = answer.read()
    return body


@contextmanager
def serving(url: str, folder: Path) -> Iterator[tuple[str, str, float, int]]:
    """Give the address of a service, a token, the seconds until it was ready, and its process.

    The service may have ended when the block does.
    """
    started = time.perf_counter()
    words = [sys.executable, "-m", "vlga", "serve", "--port", "0", "--searches", "0"]
    process = subprocess.Popen(
        words,
        cwd=folder,
        env={**os.environ, "VLGA_DB": url, "PYTHONPATH": str(Path.cwd())},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = re.search(r"(http://\S+)/\?token=(\S+)", process.stdout.readline())
        assert said is not None
        yield said[1], said[2], time.perf_counter() - started, process.pid
    finally:
        process.terminate()
        process.wait()


def memory_mb(process_id: int) -> float:
    """Give a process's resident memory."""
    status = Path(f"/proc/{process_id}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1000


if __name__ == "__main__":
    main()
