"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

__all__ = ["DEFAULT_DB", "db_option", "format_option"]

DEFAULT_DB = "sqlite:///vlga.db"

_Command = Callable[..., Any]


def db_option(command: _Command) -> _Command:
    """Add ``--db``."""
    return click.option(
        "--db",
        "db_url",
        envvar="VLGA_DB",
        default=DEFAULT_DB,
        show_default=True,
        metavar="URL",
        help="Database: sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME; also VLGA_DB.",
    )(command)


def format_option(command: _Command) -> _Command:
    """Add ``--format``."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["table", "json", "csv"]),
        default="table",
        show_default=True,
        help="How to print.",
    )(command)
