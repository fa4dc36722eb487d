"""The signals that ask a running search to end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from vlga.ports.lease import Stop
from vlga.search.hold import Hold

__all__ = ["ignore_signals", "obeying_signals"]


@contextmanager
def obeying_signals(hold: Hold) -> Iterator[None]:
    """Make SIGTERM ask a search to stop; a second one gives up its trainings, as Ctrl-C does."""
    if not _hears_signals():
        yield
        return
    n_signals = 0

    def ask(_signal: int, _frame: object) -> None:
        nonlocal n_signals
        n_signals += 1
        if n_signals > 1:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # one interrupt is enough
            raise KeyboardInterrupt
        hold.ask(Stop.DRAIN)

    before = signal.signal(signal.SIGTERM, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def ignore_signals() -> None:
    """Ignore signals from now on, so that nothing interrupts saving."""
    if _hears_signals():
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, signal.SIG_IGN)


def _hears_signals() -> bool:
    return threading.current_thread() is threading.main_thread()
