"""How wide the terminal is."""

from __future__ import annotations

import shutil
import sys

__all__ = ["screen_width"]


def screen_width() -> int | None:
    """Give the characters in a line of the terminal that stdout is; None if it is none.

    What is piped or written to a file has no width: it is complete.
    """
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
