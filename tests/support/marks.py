"""Marks that are true: whoever starts Ray or Postgres has said so, or its test fails."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

#: The mark of every test that uses one of these fixtures.
MARKS = {"cluster": "ray", "no_cluster": "ray", "ray_machines": "ray", "empty_postgres": "postgres"}
#: Programs that only a test with this mark may start. Those that a process of its own starts are
#: not seen: such a test asks for `no_cluster`.
PROGRAMS = {"gcs_server": "ray", "raylet": "ray", "initdb": "postgres", "pg_ctl": "postgres"}
#: Tests of whole commands, searches, services and browsers, and of what takes seconds, by how their
#: files' names begin.
WHOLE = (
    "tests/benchmarks/",
    "tests/cli/",
    "tests/contracts/test_strategy",
    "tests/db/read/test_pages.py",
    "tests/db/read/test_readers.py",
    "tests/db/test_store_machine.py",
    "tests/db/upkeep/",
    "tests/docker/",
    "tests/test_imports.py",
    "tests/test_readme.py",
    "tests/vlga/app/test_sizes.py",
    "tests/vlga/app/tracking/",
    "tests/vlga/execution/test_driver_steady_state.py",
    "tests/vlga/execution/test_tiny_space.py",
    "tests/vlga/notebook/",
    "tests/vlga/report/search/test_figures.py",
    "tests/vlga/service/",
    "tests/vlga/strategies/test_optuna_tpe.py",
    "tests/workers/amplification/test_compiled.py",
    "tests/workers/cluster/test_gpu_shares.py",
    "tests/workers/inference/test_export.py",
    "tests/workers/training/test_footprint.py",
    "tests/workers/training/test_micro_batches.py",
)

_current: list[pytest.Item] = []


def set_marks(item: pytest.Item) -> None:
    """Give a test the marks that its file and its fixtures call for."""
    if item.nodeid.startswith(WHOLE):
        item.add_marker("whole")
    for name in {MARKS[one] for one in getattr(item, "fixturenames", ()) if one in MARKS}:
        item.add_marker(name)


def need(mark: str) -> None:
    """Fail unless the test that runs has the mark."""
    if _current and _current[-1].get_closest_marker(mark) is None:
        pytest.fail(f"{_current[-1].nodeid} starts what needs the mark {mark!r}")


def watch() -> None:
    """Look at every program that this process starts from now on."""
    sys.addaudithook(_look)


def enter(item: pytest.Item | None) -> None:
    """Say which test runs now."""
    _current[:] = [item] if item else []


def _look(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "subprocess.Popen":
        words = arguments[1] if isinstance(arguments[1], list | tuple) else [arguments[0]]
        for word in words[:3]:  # a wrapper may stand before it
            mark = PROGRAMS.get(Path(str(word)).name)
            if mark:
                need(mark)
