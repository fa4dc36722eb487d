"""Ctrl-C that waits for the end of a transaction.

Python raises `KeyboardInterrupt` between any two steps of the main thread. In steps of SQLAlchemy
it can leave a transaction open, with the write lock of an SQLite file, as long as the exception is
handled; then nothing of what is left to save can be written. One in a hundred interrupts of a
write did so. A handler that calls `interrupt` does not.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["interrupt", "uninterrupted"]


@dataclass(slots=True)
class _MainThread:
    """The blocks that it is in, and whether it is to be interrupted at the end of the last."""

    n_blocks: int = 0
    is_due: bool = False


_main_thread = _MainThread()


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let `interrupt` wait for the end of the block, if the main thread runs it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _main_thread.n_blocks += 1
    try:
        yield
    finally:
        _main_thread.n_blocks -= 1
        if _main_thread.is_due and not _main_thread.n_blocks:
            interrupt()


def interrupt() -> None:
    """Raise `KeyboardInterrupt`, in the middle of a transaction at the end of it.

    For handlers of signals, which Python runs in the main thread.
    """
    _main_thread.is_due = _main_thread.n_blocks > 0
    if not _main_thread.is_due:
        raise KeyboardInterrupt
