"""``vlga delete``: delete a search's rows and files."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import click

from db.connection.engine import opened
from db.read.searches import show_search
from db.upkeep.delete import delete_search, require_deletable
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
        require_deletable(engine, search)
        counts = show_search(engine, search)["evaluations"]
        if not yes and not _is_meant(search, sum(counts.values())):
            click.echo("nothing was deleted", err=True)
            sys.exit(1)
        files = delete_search(engine, search)
    missing = [path for path in files if not path.exists()]
    left = [error for path in files if (error := _remove(path))]
    n_removed = len(files) - len(left) - len(missing)
    said = f"deleted {search} and {number_of(n_removed, 'file')}"
    if missing:
        said += f"; {number_of(len(missing), 'other')} not in {str(missing[0].parent)!r}"
    click.echo(said, err=True)
    for error in left:
        click.echo(f"vlga: {error}", err=True)
    if left:
        sys.exit(1)


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


def _remove(file: Path) -> str | None:
    """Delete a file, and the folders of its search and of all files if they are empty now.

    Says what went wrong, if anything.
    """
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        return f"{str(file)!r} must be deleted by hand, but: {error.strerror}"
    with suppress(OSError):  # other files are in it
        for folder in file.parents[:3]:
            folder.rmdir()
    return None
