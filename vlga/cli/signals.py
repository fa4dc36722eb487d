"""The signals that ask a running search to end, and the time that it has to do so."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from db.connection.interrupts import interrupt
from vlga.execution.hold import Hold
from vlga.ports.lease import Stop

__all__ = ["ignore_signals", "obeying_signals"]

#: How long running trainings may go on after SIGTERM.
_DRAIN_SECONDS = 5.0
#: How long the process may go on after any signal, and then take to say how to go on. Whoever
#: signals often kills after ten seconds.
_EXIT_SECONDS, _LAST_WORDS_SECONDS = 7.5, 1.0
#: Signals in so short a time are one: `timeout` signals a process and then its group.
_AT_ONCE_SECONDS = 1.0

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def obeying_signals(hold: Hold, last_words: Callable[[], object]) -> Iterator[None]:
    """Make signals end the block, and the process with it, in ten seconds.

    SIGTERM, and SIGHUP of a terminal that is closed, ask the search to stop; what still trains
    after a few seconds is given up. A second SIGTERM gives it up at once, and so does Ctrl-C, by
    `KeyboardInterrupt`. Signals that this process was started to ignore, as by nohup, it ignores.

    Args:
        hold: on the search.
        last_words: called from another thread if something hangs and the block does not end in
            time. The process is then left with exit code 130; also where what hangs comes after an
            exception that ended the block.
    """
    if not _hears_signals():
        yield
        return
    asked_at: float | None = None
    is_left, is_over = threading.Event(), threading.Event()

    def see_it_end() -> None:
        """Give up what trains, and leave the process if that does not help.

        It may be in a long calculation, or wait for a cluster that was killed with it. What is
        finished was recorded as it ended.
        """
        if is_over.wait(_DRAIN_SECONDS):
            return
        hold.ask(Stop.NOW)
        if is_over.wait(_EXIT_SECONDS - _DRAIN_SECONDS):
            return
        if not is_left.is_set():
            speaker = threading.Thread(target=last_words, daemon=True)
            speaker.start()
            speaker.join(_LAST_WORDS_SECONDS)
        os._exit(130)

    def hear(number: int, _frame: object) -> None:
        nonlocal asked_at
        now, first_at = time.monotonic(), asked_at
        if first_at is None:
            asked_at = now
            threading.Thread(target=see_it_end, daemon=True).start()
        if number == signal.SIGINT:
            interrupt()
        if first_at is None:
            hold.ask(Stop.DRAIN)
        elif number == signal.SIGTERM and now - first_at > _AT_ONCE_SECONDS:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # one interrupt is enough
            interrupt()

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    heard = [number for number, handler in before.items() if handler != signal.SIG_IGN]
    for number in heard:
        signal.signal(number, hear)
    try:
        yield
        is_over.set()
    finally:
        is_left.set()
        for number in heard:
            signal.signal(number, before[number] or signal.SIG_DFL)


def ignore_signals() -> None:
    """Ignore signals from now on, so that nothing interrupts saving."""
    if _hears_signals():
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)


def _hears_signals() -> bool:
    return threading.current_thread() is threading.main_thread()
