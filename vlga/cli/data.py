"""``vlga data``: the data sets that have a name."""

from __future__ import annotations

import click

from vlga.cli.options import format_option
from vlga.cli.screen import screen_width
from vlga.report.formats import render

__all__ = ["data"]


@click.group(no_args_is_help=False)
def data() -> None:
    """List the data sets that have a name."""


@data.command("list")
@click.option("--data-dir", envvar="VLGA_DATA", help="Folder of torchvision's files.")
@format_option
def data_list(data_dir: str | None, form: str) -> None:
    """List the data sets that have a name, and where their files are."""
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
    click.echo(render(rows, form, list(rows[0]), width=screen_width(), spare=("shape", "test")))
    if form == "table":
        click.echo(
            "\nor your own: --data images.npz (x_train y_train [x_val y_val] [x_test y_test]), "
            "or a folder of class folders",
            err=True,
        )
