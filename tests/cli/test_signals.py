"""Real processes that are told to end: they are gone in ten seconds and can be gone on with."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from db.connection.interrupts import uninterrupted
from db.store import SqlStore
from tests.support.command import SMALL, vlga
from tests.support.fakes import MemoryStore
from tests.support.forked import Forked
from vlga.cli.signals import obeying_signals
from vlga.execution.hold import Hold

pytestmark = pytest.mark.usefixtures("interruptible")

#: Networks that train for a second or so, and then one after another without end.
SHORT = ("--set", "strategy=random_search", "--set", "budget.evaluations=100000")
#: Trainings that nobody waits for.
ENDLESS = (*SHORT, "--set", "training.epochs=100000000", "--set", "training.warmup_fraction=0")
INLINE = (*SMALL, "--name", "cut")
ON_RAY = (*SMALL[1:], "--name", "cut", "--workers", "1")
#: Seconds in which a process must be gone; whoever signals often kills after that.
SOON = 10.0


@contextmanager
def start(home: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start a search on Ray in a process group of its own, as a shell or `timeout` does.

    It is killed at the end of the block: what fails in it must not wait for an endless training.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "vlga", "search", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=home,
        process_group=0,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def forked(home: Path, processes: Any) -> Callable[..., Forked]:
    """Start a search that trains in its own process, in a process group of its own."""
    return lambda *arguments: Forked(processes, ("search", *arguments), home)


def is_in_group(process_id: int, group: int) -> bool:
    """Tell whether a process is in a group; one that has ended is in none."""
    try:
        return os.getpgid(process_id) == group
    except ProcessLookupError:
        return False


def wait_for_line(process: subprocess.Popen[str] | Forked, beginning: str) -> None:
    assert process.stderr
    lines = []
    for line in process.stderr:
        lines.append(line)
        if line.startswith(beginning):
            return
    raise AssertionError("".join(lines))


def wait_for_evaluations(home: Path, process: subprocess.Popen[str], n: int) -> None:
    with closing(SqlStore(f"sqlite:///{home}/vlga.db")) as store:
        while len(store.evaluations("cut")) < n:
            with suppress(subprocess.TimeoutExpired):  # a busy loop would slow the trainings down
                raise AssertionError(f"it ended by itself: {process.wait(0.1)}")


def assert_interrupted(code: int, err: str, took: float) -> None:
    """Exit code, time, last line and status are those of a search that can be gone on with."""
    assert code == 130, err
    assert took < SOON
    assert "Traceback" not in err
    assert err.splitlines()[-1] == (
        "interrupted; what is finished is saved. Go on with: vlga resume cut"
    )
    assert err.count("Go on with") == 1
    assert vlga("show", "cut", "--format", "json").json["status"] == "interrupted"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_an_endless_training_is_left(home, forked, number):
    """Soon, although it has no end of its own: without Ray it is in the same process."""
    with forked(*INLINE, *ENDLESS) as process:
        wait_for_line(process, "cut  random_search")
        began = time.monotonic()
        os.killpg(process.pid, number)
        _, err = process.communicate(timeout=60)
        took = time.monotonic() - began

    assert_interrupted(process.returncode, err, took)


def press_in_a_write() -> None:
    """End with 7 if Ctrl-C came after what is written, in a process of its own."""
    n_written = 0
    try:
        with obeying_signals(Hold(MemoryStore(), "cut"), lambda: None), uninterrupted():
            signal.raise_signal(signal.SIGINT)
            n_written = 1
    except KeyboardInterrupt:
        os._exit(7 if n_written else 8)


def test_ctrl_c_waits_for_the_end_of_a_write(processes):
    """Without which the database stays locked as long as it takes to end (db.connection)."""
    process = processes.Process(target=press_in_a_write)
    process.start()
    process.join(60)

    assert process.exitcode == 7


def test_a_generation_that_is_endless_to_make_is_left(home, forked):
    """Nothing else happens meanwhile, such as looking whether somebody wants it to stop."""
    settings = ("population.size=1000000", "limits.max_macs=1000000000")
    words = [word for setting in settings for word in ("--set", setting)]
    with forked(*INLINE, *words) as process:
        wait_for_line(process, "cut  variable_length")
        began = time.monotonic()
        process.terminate()
        _, err = process.communicate(timeout=60)
        took = time.monotonic() - began

    assert_interrupted(process.returncode, err, took)


@pytest.mark.ray
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ray_outlives_a_signal_to_the_process_group(home, number, no_cluster):
    """What trains is given up after a while; Ray's processes end with the search."""
    with start(home, *ON_RAY, *ENDLESS) as process:
        wait_for_line(process, "starting Ray on this machine ...")
        wait_for_line(process, "cut  random_search")
        rays = psutil.Process(process.pid).children(recursive=True)
        assert not any(is_in_group(one.pid, process.pid) for one in rays)
        began = time.monotonic()
        os.killpg(process.pid, number)
        _, err = process.communicate(timeout=60)
        took = time.monotonic() - began
        gone, _ = psutil.wait_procs(rays, timeout=10)

    assert_interrupted(process.returncode, err, took)
    assert len(gone) == len(rays) > 1


@pytest.mark.ray
def test_ray_killed_with_the_search_takes_nothing_along(home, no_cluster):
    """As by systemd or Slurm, which signal every process: what has ended is there to go on with."""
    with start(home, *ON_RAY, *SHORT) as process:
        wait_for_line(process, "cut  random_search")
        wait_for_evaluations(home, process, 2)
        rays = psutil.Process(process.pid).children(recursive=True)
        began = time.monotonic()
        for one in [*rays, process]:
            with suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        took = time.monotonic() - began

    assert process.returncode == 130, err
    assert took < SOON
    assert "Go on with: vlga resume cut" in err
    psutil.wait_procs(rays, timeout=10)
    shown = vlga("show", "cut", "--format", "json").json
    assert shown["status"] == "interrupted"
    assert shown["evaluations"]["completed"] >= 2


def test_a_closed_terminal_stops_it(home):
    """Whose panel nobody sees any more; a search that has stopped so goes on as any other."""
    process_id, terminal = pty.fork()
    if not process_id:
        os.chdir(home)
        os.execv(sys.executable, [sys.executable, "-m", "vlga", "search", *INLINE, *SHORT])
    shown = b""
    while b"best" not in shown:  # the panel, after the first training
        shown += os.read(terminal, 4096)
    began = time.monotonic()
    os.close(terminal)
    _, status = os.waitpid(process_id, 0)
    took = time.monotonic() - began
    cut = vlga("show", "cut", "--format", "json").json

    assert os.waitstatus_to_exitcode(status) == 130
    assert took < SOON
    assert cut["status"] == "interrupted"
    assert cut["evaluations"]["completed"] >= 1


def test_a_search_under_nohup_outlives_its_terminal(home):
    """It ignores the signal, and what it would print, and comes to its end."""
    process_id, terminal = pty.fork()
    if not process_id:
        os.chdir(home)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        os.execv(sys.executable, [sys.executable, "-m", "vlga", "search", *INLINE])
    shown = b""
    while b"cut  variable_length" not in re.sub(rb"\x1b\[[\d;]*m", b"", shown):
        shown += os.read(terminal, 4096)
    os.close(terminal)
    _, status = os.waitpid(process_id, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert vlga("show", "cut", "--format", "json").json["status"] == "completed"
