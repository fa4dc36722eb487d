"""Ctrl-C, and a notebook's stop button, which people press more than once."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from db.connection.interrupts import interrupt

__all__ = ["interrupted_once"]

#: How long what was interrupted has to save its state.
_SAVING_SECONDS = 10.0


@contextmanager
def interrupted_once() -> Iterator[None]:
    """Make presses of Ctrl-C within ten seconds one, so that none interrupts the saving.

    Only where Ctrl-C raises `KeyboardInterrupt`: not in another thread than the main one, and not
    where whoever runs this has a handler of their own.
    """
    usual = signal.default_int_handler
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not usual:
        yield
        return
    pressed_at: float | None = None

    def hear(_number: int, _frame: object) -> None:
        nonlocal pressed_at
        now = time.monotonic()
        if pressed_at is None or now - pressed_at > _SAVING_SECONDS:
            pressed_at = now
            interrupt()

    signal.signal(signal.SIGINT, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
