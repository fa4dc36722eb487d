"""``vlga stop``, and the signals that mean the same: how a search that runs is asked to end."""

from __future__ import annotations

import shlex
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import click

from db.store import SqlStore
from vlga.cli.options import db_option
from vlga.errors import ConfigError
from vlga.ports.lease import Stop
from vlga.search.hold import Tenure, running

__all__ = ["announcing", "ignore_signals", "obeying_signals", "stop"]


@click.command()
@click.argument("name", metavar="SEARCH")
@click.option("--now", is_flag=True, help="Give up what runs instead of finishing it first.")
@db_option
def stop(name: str, now: bool, db_url: str) -> None:
    """Ask a search that runs, here or elsewhere, to save what is finished and end.

    It starts no further training; what runs is finished first. SIGTERM does the same.
    """
    with closing(SqlStore(db_url, create=False)) as store:
        lease = running(store, name)
        if lease is None or not store.request_stop(name, Stop.NOW if now else Stop.DRAIN):
            status = store.find_search(name).status
            way_out = (
                "" if status == "completed" else f"; go on with: vlga resume {shlex.quote(name)}"
            )
            raise ConfigError(f"a search must run to be stopped, but {name!r} does not{way_out}")
    when = "now" if now else "when what runs has ended"
    click.echo(f"asked {lease} to stop {name} {when}", err=True)


@contextmanager
def obeying_signals(tenure: Tenure) -> Iterator[None]:
    """Let SIGTERM ask a search to stop, and a second one give up what runs, as Ctrl-C does."""
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
        tenure.ask(Stop.DRAIN)

    before = signal.signal(signal.SIGTERM, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def announcing(tenure: Tenure, print_: Callable[[str], object]) -> Callable[[], Stop | None]:
    """Give `Tenure.check`, which says so once when a search is going to end after what runs."""
    is_told = False

    def check() -> Stop | None:
        nonlocal is_told
        asked = tenure.check()
        if asked is Stop.DRAIN and not is_told:
            is_told = True
            print_("stopping when what runs has ended; Ctrl-C gives it up")
        return asked

    return check


def ignore_signals() -> None:
    """Let nothing interrupt what is being saved."""
    if _hears_signals():
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, signal.SIG_IGN)


def _hears_signals() -> bool:
    return threading.current_thread() is threading.main_thread()
