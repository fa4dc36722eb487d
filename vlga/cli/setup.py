"""``vlga config``, ``data`` and ``db``: what a search can be given, and the state of a database."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from vlga.cli.options import db_option, format_option
from vlga.report.formats import number_of, render

__all__ = ["config", "data", "db"]


@click.command()
@click.option("--example", is_flag=True, help="A configuration file with every setting explained.")
@click.option("--schema", is_flag=True, help="The settings' JSON schema.")
@click.option("--preset", default="default", show_default=True, help="The preset to start from.")
def config(example: bool, schema: bool, preset: str) -> None:
    """Print an example configuration (TOML) or the settings' JSON schema."""
    from vlga.config.example import example_toml
    from vlga.config.settings import SearchConfig

    if example == schema:
        raise click.UsageError("give either --example or --schema")
    text = (
        example_toml(preset) if example else json.dumps(SearchConfig.model_json_schema(), indent=2)
    )
    click.echo(text)


@click.group(no_args_is_help=False)
def data() -> None:
    """List the data sets that vlga knows."""


@data.command("list")
@click.option("--data-dir", envvar="VLGA_DATA", help="Folder of torchvision's files.")
@format_option
def data_list(data_dir: str | None, form: str) -> None:
    """List the data sets that vlga knows, and where their files are."""
    from workers.data import known_datasets

    rows = [
        {
            "name": known.name,
            "shape": "x".join(map(str, known.input_shape)),
            "classes": known.n_classes,
            "train": known.n_train,
            "test": known.n_test,
            "found": "built in" if known.built_in else known.path and str(known.path),
        }
        for known in known_datasets(data_dir)
    ]
    click.echo(render(rows, form, list(rows[0])))
    if form == "table":
        click.echo(
            "\nor your own: --data images.npz (x_train y_train [x_test y_test]), "
            "or a folder of class folders",
            err=True,
        )


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

    Files must be there as they were written, and each file under ./vlga-artifacts must belong to a
    search of this database; folders of searches that are running are left out.
    """
    from db.upkeep.check import check
    from vlga.search.artifacts import ARTIFACTS

    rows = [asdict(finding) for finding in check(db_url, ARTIFACTS)]
    if rows or form != "table":
        click.echo(render(rows, form, ("where", "what")))
    if rows:
        click.echo(f"vlga: {number_of(len(rows), 'finding')}", err=True)
        sys.exit(1)
    click.echo("nothing wrong", err=True)
