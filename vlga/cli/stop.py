"""``vlga stop``: ask a running search, here or on another machine, to end."""

from __future__ import annotations

import shlex
from contextlib import closing

import click

from db.service.queue import SqlQueue
from db.store import SqlStore
from vlga.cli.completion import search_argument
from vlga.cli.options import db_option
from vlga.errors import ConfigError
from vlga.execution.hold import running
from vlga.ports.lease import Stop
from vlga.ports.queue import Wish, wish

__all__ = ["stop"]


@click.command()
@search_argument("name")
@click.option("--now", is_flag=True, help="Give up running trainings instead of finishing them.")
@db_option
def stop(name: str, now: bool, db_url: str) -> None:
    """Ask a running search, here or on another machine, to save what is finished and end.

    It starts no more trainings, and finishes those that are running. SIGTERM to its process does
    the same, but gives up after five seconds what still runs.
    """
    with closing(SqlStore(db_url, create=False)) as store:
        queue = SqlQueue(store.engine)
        watched = queue.find(name)
        status, is_wanted = watched.seen.status, not watched.submission.is_settled
        if is_wanted:  # or a service would start it again
            wanted, what = (Wish.STOP, "stopped") if now else (Wish.PAUSE, "paused")
            queue.change(name, "the command line", what, **wish(wanted))
        lease = None if status is None else running(store, name)
        if lease is None and is_wanted:
            click.echo(f"{name} waits no longer; it can be resumed by the service", err=True)
            return
        if lease is None or not store.request_stop(name, Stop.NOW if now else Stop.DRAIN):
            way_out = (
                "" if status == "completed" else f"; go on with: vlga resume {shlex.quote(name)}"
            )
            raise ConfigError(
                f"a search must be running to be stopped, but {name!r} is not{way_out}"
            )
    when = "now" if now else "when its running trainings have ended"
    click.echo(f"asked {lease} to stop {name} {when}", err=True)
