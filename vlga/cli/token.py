"""``vlga token``: who may use the service of a database. Loads neither torch nor Ray."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from db.connection.engine import opened
from db.service.access import Access
from vlga.cli.options import db_option, format_option
from vlga.cli.screen import screen_width
from vlga.report.formats import render

__all__ = ["token"]


@click.group(no_args_is_help=False)
def token() -> None:
    """Make, list and revoke tokens, with which people and programs use `vlga serve`."""


@token.command()
@click.argument("name")
@click.option("--read", is_flag=True, help="It may look, and change nothing.")
@click.option("--days", type=int, help="Days after which it expires; if not given, never.")
@db_option
def create(name: str, read: bool, days: int | None, db_url: str) -> None:
    """Make a token and print it, this once: the database keeps only its hash.

    Makes the database if there is none.
    """
    with opened(db_url, create=True) as engine:
        secret = Access(engine).create(name, "read" if read else "write", days=days)
    click.echo(secret)
    click.echo("this is shown only now; send it as: Authorization: Bearer TOKEN", err=True)


@token.command("list")
@db_option
@format_option
def list_(db_url: str, form: str) -> None:
    """List the tokens of a database, good and ended ones."""
    with opened(db_url) as engine:
        found = Access(engine).tokens()
    if form == "table" and not found:
        click.echo("no tokens yet; make one with: vlga token create NAME", err=True)
        return
    now = datetime.now(UTC)
    rows = []
    for one in found:
        is_old = one.expires_at is not None and one.expires_at <= now
        moments = {key: getattr(one, key) for key in ("created_at", "expires_at", "used_at")}
        rows.append(
            {
                "name": one.name,
                "scope": one.scope,
                "state": "revoked" if one.revoked_at else "expired" if is_old else "good",
                **{key: _moment(at, form) for key, at in moments.items()},
            }
        )
    columns = ("name", "scope", "state", "created_at", "expires_at", "used_at")
    click.echo(render(rows, form, columns, width=screen_width(), spare=("created_at",)))


@token.command()
@click.argument("name")
@db_option
def revoke(name: str, db_url: str) -> None:
    """End a token, and the browsers that signed in with it."""
    with opened(db_url) as engine:
        Access(engine).revoke(name)
    click.echo(f"revoked {name}", err=True)


def _moment(at: datetime | None, form: str) -> str | None:
    if at is None:
        return None
    return f"{at:%Y-%m-%d %H:%M}" if form == "table" else at.isoformat()
