"""``vlga db``: upgrade or check a database."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from vlga.cli.options import db_option, format_option
from vlga.cli.screen import screen_width
from vlga.report.formats import number_of, render

__all__ = ["db"]


@click.group(no_args_is_help=False)
def db() -> None:
    """Upgrade or check a database."""


@db.command("upgrade")
@db_option
def db_upgrade(db_url: str) -> None:
    """Bring a database to this version's schema."""
    from db.upkeep.migrate import upgrade

    click.echo(upgrade(db_url), err=True)


@db.command("check")
@db_option
@format_option
def db_check(db_url: str, form: str) -> None:
    """Check a database and its files; exit code 1 if something is wrong.

    Every file of weights must exist unchanged, and each file in the folder of this database's files
    must belong to one of its searches. That of a running search is not looked into.
    """
    from db.upkeep.check import check

    rows = [asdict(finding) for finding in check(db_url)]
    if rows or form != "table":
        click.echo(render(rows, form, ("where", "what"), width=screen_width()))
    if rows:
        click.echo(f"vlga: {number_of(len(rows), 'finding')}", err=True)
        sys.exit(1)
    click.echo("everything is in order", err=True)
