"""``vlga run``: what the service starts for each search. Not for people, and not in the help."""

from __future__ import annotations

import click

from vlga.app.submitted import note_failure, submitted_search
from vlga.cli.options import db_option
from vlga.cli.search import run_ready
from vlga.errors import (
    EvaluatorLost,
    LeaseLost,
    SearchExists,
    SearchHeld,
    SearchStopped,
    StoreFailed,
    StoreUnavailable,
    VlgaError,
)

__all__ = ["run"]


@click.command(hidden=True)
@click.argument("name")
@db_option
@click.option("--address", help="Ray cluster to use, whatever was submitted.")
@click.option("--inline", is_flag=True, default=None, help="Train in this process, without Ray.")
def run(name: str, db_url: str, address: str | None, inline: bool | None) -> None:
    """Run a submitted search: enter it, or go on with it.

    Exit codes as of search, but 1 where another try may succeed. A search that such a failure has
    ended is left as interrupted: what is stored as failed cannot go on as it is. The reason is left
    with the submission.
    """
    overrides = {"workers.address": address, "workers.inline": inline}
    try:
        with submitted_search(db_url, name, overrides=overrides) as ready:
            if ready is None:
                click.echo(f"{name} is completed", err=True)
                return
            try:
                run_ready(ready, db_url, "table")
            except (EvaluatorLost, StoreFailed):
                ready.store.update_search(name, status="interrupted")
                raise
    except (SearchStopped, LeaseLost):
        raise
    except VlgaError as error:
        note_failure(db_url, name, error)
        if isinstance(error, (SearchExists, SearchHeld, StoreUnavailable)):
            raise StoreFailed(str(error)) from error
        raise
