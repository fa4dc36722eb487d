import os
import subprocess
import sys
from dataclasses import replace

import pytest

from vlga.ports import lease
from vlga.ports.lease import Holder, lives, this_process


@pytest.fixture
def child():
    """A process that waits for its end."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def holder_of(process):
    """Give a process as it would give itself."""
    return replace(this_process(), process_id=process.pid, origin=lease._origin(process.pid))


def test_a_token_is_used_once():
    """The same process takes every search with another."""
    first, second = this_process(), this_process()

    assert first.token != second.token
    assert (first.host, first.process_id, first.origin) == (
        second.host, second.process_id, second.origin,
    )  # fmt: skip
    assert first.process_id == os.getpid()


def test_this_process_lives():
    """As it is asked, whatever its name."""
    assert lives(this_process())


def test_a_process_lives_until_it_is_killed(child):
    """Dead is dead, also while its parent has not looked after it."""
    holder = holder_of(child)
    assert lives(holder)

    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert lives(holder) is False
    child.wait()
    assert lives(holder) is False


def test_a_number_that_was_given_again_is_another_process():
    """A process that started at another moment is not the one that held the search."""
    me = this_process()

    assert lives(replace(me, origin=f"{lease._place(me.origin)} 1")) is False


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "elsewhere"},
        {"origin": "another-boot pid:[1] 1"},
        {"origin": ""},
    ],
    ids=["host", "boot", "system"],
)
def test_of_another_machine_nothing_is_known(changes):
    """Nor of another boot or container of this one, where numbers mean something else."""
    assert lives(replace(this_process(), **changes)) is None


def test_without_the_system_s_help_only_the_dead_are_known(monkeypatch, child):
    """A number that nobody has is a dead process; one that somebody has may be another's."""
    monkeypatch.setattr(lease, "_origin", lambda _: "")
    holder = Holder("t", this_process().host, child.pid, "")
    assert lives(holder) is None
    assert lives(replace(holder, process_id=1)) is None

    child.kill()
    child.wait()
    assert lives(holder) is False
