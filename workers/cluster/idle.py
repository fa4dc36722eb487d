"""Ending a search's processes that have nothing to do, for what they hold of a GPU.

A process that has trained on a GPU keeps its context and its images there, about a gigabyte, and
gives them back only with its end. Ray keeps as many processes as the machine has CPUs.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

__all__ = ["end_idle_workers"]

#: How Ray titles a worker without a task.
_IDLE = b"ray::IDLE"
#: How long a process may take to go, and how often it is looked for.
_PATIENCE_SECONDS, _STEP_SECONDS = 10.0, 0.05


def end_idle_workers(workers: Collection[str]) -> bool:
    """End those workers of this machine that have no task, and wait until they are gone.

    Nothing may give them a task meanwhile: it would be lost.

    Args:
        workers: of one search, as `Evaluation.worker` names them; this process is left alone.

    Returns:
        Whether there was any.
    """
    mine = socket.gethostname()
    named = (one.rpartition(":") for one in workers)
    processes = [int(number) for host, _, number in named if host == mine and number.isdecimal()]
    ended = [one for one in processes if one != os.getpid() and _title(one).startswith(_IDLE)]
    for one in ended:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while any(map(_title, ended)) and time.monotonic() < deadline:
        time.sleep(_STEP_SECONDS)
    return bool(ended)


def _title(process: int) -> bytes:
    """Give how a process calls itself; nothing if it is gone, or waits to be taken off."""
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return b""
