"""Workers without a task are ended where others need what they hold."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
import ray

from tests.support.waiting import until
from workers.cluster.idle import end_idle_workers

pytestmark = pytest.mark.usefixtures("cluster")


def named() -> str:
    """Give this process as an evaluation names it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def meet(folder: Path, number: int, n_there: int) -> str:
    """Say which process this is, and wait until so many are there."""
    (folder / str(number)).write_text(named())
    until(lambda: len([*folder.iterdir()]) >= n_there)
    return named()


def end(workers: list[str]) -> tuple[str, bool]:
    return named(), end_idle_workers(workers)


def title(worker: str) -> bytes:
    try:
        return Path("/proc", worker.rpartition(":")[2], "cmdline").read_bytes()
    except OSError:
        return b""


def both(folder: Path) -> list[str]:
    """Give two workers, without a task by now."""
    folder.mkdir()
    workers = ray.get([ray.remote(meet).remote(folder, number, 2) for number in range(2)])
    until(lambda: all(title(one).startswith(b"ray::IDLE") for one in workers))
    return workers


def test_idle_workers_are_ended_from_a_task(tmp_path):
    """All that were named but the one that runs the task; Ray has others for the next tasks."""
    workers = both(tmp_path / "first")
    mine, is_ended = ray.get(ray.remote(end).options(num_cpus=2).remote(workers))

    assert is_ended
    assert [one for one in workers if title(one)] == [one for one in workers if one == mine]
    assert len(both(tmp_path / "second")) == 2


def test_others_are_left_alone(tmp_path):
    """Who has a task, who is on another machine, who is no worker, and what is no process."""
    idle = both(tmp_path / "idle")
    (tmp_path / "busy").mkdir()
    task = ray.remote(meet).remote(tmp_path / "busy", 0, 2)
    file = tmp_path / "busy" / "0"
    until(lambda: file.exists() and file.read_text())
    busy, here = file.read_text(), socket.gethostname()
    elsewhere = [one.replace(here, "elsewhere") for one in idle]

    assert not end_idle_workers([busy, *elsewhere, named(), f"{here}:1", "", "x:y"])

    (tmp_path / "busy" / "1").touch()
    assert ray.get(task) == busy
