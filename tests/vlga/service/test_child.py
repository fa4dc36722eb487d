"""The machine of a service: logs, and signals to processes that it did not start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from db.connection.engine import build_engine
from vlga.ports import lease
from vlga.ports.lease import Holder, this_process
from vlga.service import child
from vlga.service.child import Machine


@contextmanager
def waiting(*, leads: bool) -> Iterator[tuple[subprocess.Popen[bytes], Holder]]:
    """A process that waits for its end, in a group of its own or in ours."""
    command = [
        sys.executable,
        "-c",
        "import sys; sys.stdout.write('x'); sys.stdout.flush(); input()",
    ]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, start_new_session=leads, **pipes) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        origin = lease._origin(process.pid)
        yield process, replace(this_process(), process_id=process.pid, origin=origin)
        process.kill()


@pytest.fixture
def machine() -> Machine:
    engine: Engine = build_engine("sqlite://")
    return Machine(engine, "sqlite://")


@pytest.mark.parametrize("leads", [True, False])
def test_a_process_that_another_service_started_is_signalled(machine, leads):
    """By SIGTERM, and killed; of a group that it does not lead, it alone."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with waiting(leads=leads) as (process, holder):
            assert machine.lives(holder)
            machine.signal(holder, number)
            assert process.wait(60) == -number
            machine.signal(holder, number)  # it is gone


def test_another_process_with_the_number_is_left_alone(machine):
    """It began at another moment; so is one that is on another machine."""
    with waiting(leads=True) as (process, holder):
        place, _, began = holder.origin.rpartition(" ")
        for other in (
            replace(holder, origin=f"{place} {int(began) - 1}"),
            replace(holder, host="elsewhere"),
        ):
            machine.signal(other, signal.SIGKILL)
        assert process.poll() is None


def test_a_log_is_for_its_user_and_loses_its_beginning(tmp_path, monkeypatch):
    """Whole lines of its end are kept, and what comes next follows them."""
    monkeypatch.setattr(child, "_LOG_BYTES", 100)
    monkeypatch.setattr(child, "_KEPT_BYTES", 25)
    path = tmp_path / "vlga-logs" / "first.log"
    with child._open_log(path) as log:
        log.write(b"".join(b"line %03d\n" % number for number in range(20)))
        before = log.fileno()
        assert os.fstat(before).st_mode & 0o777 == 0o600
    with child._open_log(path) as log:
        log.write(b"next\n")

    assert path.read_text() == "line 018\nline 019\nnext\n"
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_log_is_no_link_to_elsewhere(tmp_path):
    """Somebody else's file is not written."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    Path(tmp_path / "first.log").symlink_to(victim)

    with pytest.raises(OSError, match="symbolic links"):
        child._open_log(tmp_path / "first.log")
    assert victim.read_text() == "mine"
