"""Work that the service must not do itself: it would load torch, or take a minute of its process.

A process of its own does it, one at a time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence

from vlga.errors import StoreUnavailable

__all__ = ["run_aside"]

_SECONDS, _WAIT_SECONDS = 60, 20
_AT_A_TIME = threading.BoundedSemaphore(1)


def run_aside(
    what: str,
    module: str,
    arguments: Sequence[str] = (),
    *,
    text: str = "",
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a module of this Python with these arguments, and wait for it.

    Args:
        what: it is, for an error.
        module: to run.
        arguments: that everybody on the machine may see.
        text: for its standard input.
        environment: more than this process's, from which the token is left out.

    Returns:
        How it ended, with exit code 0 or 2.

    Raises:
        StoreUnavailable: others take all the time there is, or it did not end well in time.
    """
    rest = {key: value for key, value in os.environ.items() if key != "VLGA_TOKEN"}
    busy = StoreUnavailable(
        f"{what} must be made within {_SECONDS} s, but this one was not; try again"
    )
    if not _AT_A_TIME.acquire(timeout=_WAIT_SECONDS):
        raise busy
    try:
        ran = subprocess.run(  # noqa: S603 - this Python, and arguments that are checked
            [sys.executable, "-m", module, *arguments],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
            env={**rest, "OMP_NUM_THREADS": "1", **(environment or {})},
        )
    except subprocess.TimeoutExpired:
        raise busy from None
    finally:
        _AT_A_TIME.release()
    if ran.returncode not in (0, 2):
        raise busy
    return ran
