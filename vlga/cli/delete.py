"""``vlga delete``: delete a search's rows and files."""

from __future__ import annotations

import sys

import click

from db.connection.engine import opened
from db.read.searches import show_search
from db.service.queue import SqlQueue
from db.upkeep.delete import require_deletable
from vlga.app.deletion import delete_with_files
from vlga.cli.completion import search_argument
from vlga.cli.options import db_option
from vlga.errors import ConfigError
from vlga.report.formats import number_of

__all__ = ["delete"]


@click.command()
@search_argument("search")
@click.option("--yes", is_flag=True, help="Do not ask.")
@db_option
def delete(search: str, yes: bool, db_url: str) -> None:
    """Delete a search: everything recorded about it, and its files of weights.

    This cannot be undone. A running search is not deleted.
    """
    with opened(db_url) as engine:
        if _is_removed(SqlQueue(engine), search):
            click.echo(f"deleted {search}, which was not begun", err=True)
            return
        require_deletable(engine, search)
        counts = show_search(engine, search)["evaluations"]
        if not yes and not _is_meant(search, sum(counts.values())):
            click.echo("nothing was deleted", err=True)
            sys.exit(1)
        deleted = delete_with_files(engine, search)
    said = f"deleted {search} and {number_of(deleted.n_files, 'file')}"
    if deleted.missing:
        n_missing, folder = len(deleted.missing), str(deleted.missing[0].parent)
        said += f"; {number_of(n_missing, 'other')} not in {folder!r}"
    click.echo(said, err=True)
    for error in deleted.left:
        click.echo(f"vlga: {error}", err=True)
    if deleted.left:
        sys.exit(1)


def _is_removed(queue: SqlQueue, search: str) -> bool:
    """Remove a submission that is not begun; tell whether it is one.

    Raises:
        SearchNotFound: it is neither submitted nor entered.
        ConfigError: a service is starting it.
    """
    watched = queue.find(search)
    if watched.seen.status is not None:
        return False
    if watched.claimed_by is not None:
        raise ConfigError(
            f"a search must not be running to be deleted, but {search!r} is starting; "
            f"stop it with: vlga stop {search}"
        )
    queue.remove(search)
    return True


def _is_meant(search: str, n_evaluations: int) -> bool:
    """Ask on the terminal.

    Raises:
        ConfigError: there is none.
    """
    if not sys.stdin.isatty():
        raise ConfigError(
            f"deleting {search!r} must be confirmed, but there is no terminal to ask on; add --yes"
        )
    question = f"delete {search} with {number_of(n_evaluations, 'evaluation')} and its files?"
    return click.confirm(question, err=True)
