"""Options that several commands share."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from vlga.cli.completion import complete_data, complete_presets, complete_settings
from vlga.config.preset import preset_names

__all__ = [
    "DEFAULT_DB",
    "INDIVIDUAL_ID",
    "configuration_options",
    "db_hint",
    "db_option",
    "format_option",
    "result_option",
    "set_option",
    "worker_options",
]

DEFAULT_DB = "sqlite:///vlga.db"

#: As many as a database can number.
INDIVIDUAL_ID = click.IntRange(0, 2**31 - 1)

_Command = Callable[..., Any]


def _all(*options: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    """Make one decorator of several; help shows the options in this order."""

    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _number_or_word(text: str) -> float | str:
    """Read a number; leave any other text to be checked with the settings."""
    try:
        return float(text)
    except ValueError:
        return text


def set_option(about: str) -> Callable[[_Command], _Command]:
    """Add ``--set``, with this help."""
    return click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="KEY=VALUE",
        shell_complete=complete_settings,
        help=about,
    )


#: What to search: ``[CONFIG.toml] --preset --data --data-dir --seed --set``.
configuration_options = _all(
    click.argument(
        "file", metavar="[CONFIG.toml]", required=False, type=click.Path(path_type=Path)
    ),
    click.option(
        "--preset",
        metavar="NAME",
        default="default",
        show_default=True,
        shell_complete=complete_presets,
        help=f"Settings to start from: {', '.join(preset_names())}.",
    ),
    click.option(
        "--data",
        shell_complete=complete_data,
        help="A known data set, an .npz file or a folder of class folders.",
    ),
    click.option(
        "--data-dir", envvar="VLGA_DATA", help="Folder of torchvision's files; also VLGA_DATA."
    ),
    click.option("--seed", type=click.IntRange(min=0), help="Seed of the (first) search."),
    set_option("A setting; repeatable."),
)

#: Where trainings run: ``--address --workers --cpus-per-evaluation --gpus-per-evaluation
#: --inline``.
worker_options = _all(
    click.option(
        "--address",
        envvar="RAY_ADDRESS",
        help="Ray cluster to use; also RAY_ADDRESS. If not given, Ray is started here.",
    ),
    click.option("--workers", type=click.IntRange(min=1), help="Number of trainings at a time."),
    click.option("--cpus-per-evaluation", type=float, help="CPUs for each training."),
    click.option(
        "--gpus-per-evaluation",
        metavar="FLOAT|auto",
        type=_number_or_word,
        help="GPUs, or a share of one, for each training. auto, the default: if there is a GPU, "
        "as much of it as the network needs.",
    ),
    click.option(
        "--inline", is_flag=True, default=None, help="Train in this process, without Ray."
    ),
)


def _lasting_db(context: click.Context, _parameter: click.Parameter, url: str) -> str:
    """Refuse a database in memory, which would be gone with the command."""
    from db.connection.urls import require_lasting

    if not context.resilient_parsing:  # while a shell completes, nothing is refused
        require_lasting(url)
    return url


def db_option(command: _Command) -> _Command:
    """Add ``--db``."""
    return click.option(
        "--db",
        "db_url",
        callback=_lasting_db,
        envvar="VLGA_DB",
        default=DEFAULT_DB,
        show_default=True,
        metavar="URL",
        help="Database: sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME; also VLGA_DB.",
    )(command)


def db_hint(db_url: str) -> str:
    """Give the ``--db`` that a command to type next needs, or nothing where it is implied.

    A password is not printed: the command then takes the URL from VLGA_DB.
    """
    from db.connection.urls import masked

    if db_url == (os.environ.get("VLGA_DB") or DEFAULT_DB):
        return ""
    return f" --db {shlex.quote(db_url)}" if masked(db_url) == db_url else ' --db "$VLGA_DB"'


def result_option(command: _Command) -> _Command:
    """Add ``--format``, of what comes out of a search."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["table", "json"]),
        default="table",
        show_default=True,
        help="Form of the result, on standard output; json is that of vlga show, or of a study's "
        "report.",
    )(command)


def format_option(command: _Command) -> _Command:
    """Add ``--format``."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["table", "json", "csv"]),
        default="table",
        show_default=True,
        help="Form of the output.",
    )(command)
