"""``vlga export``: a search's trained network as files that need no vlga."""

from __future__ import annotations

import shlex
from contextlib import closing
from pathlib import Path

import click

from db.store import SqlStore
from vlga.app.bounds import fittest_under, parse_bound
from vlga.app.exports import FORMATS, export
from vlga.cli.completion import search_argument
from vlga.cli.options import db_option

__all__ = ["export_"]


@click.command("export")
@search_argument("search", "SEARCH[:ID|:committee]")
@click.option(
    "--to",
    "folder",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="A new or an empty folder for the files.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice([*FORMATS, "all"]),
    default="source",
    show_default=True,
    help="source: plain PyTorch to read and run; onnx: for any ONNX runtime; program: of "
    "torch.export.",
)
@click.option(
    "--under",
    metavar="COST=BOUND",
    help="The fittest network whose weights were kept and that costs no more: parameters=100k, "
    "macs=5M, or latency=5ms, which is measured on a CPU thread of this machine.",
)
@db_option
def export_(search: str, folder: Path, form: str, under: str | None, db_url: str) -> None:
    """Write what a search answers with, or its network ID, as files that need no vlga.

    That is its committee, if it has one, whose members are averaged, else its winner. What is
    written gives the logits of the trained network, or nothing is written. A README says where the
    network comes from, how good it is, and how to use it.

    \b
    vlga export digits-1 --to digits/
    vlga export digits-1:7 --to seven/ --format all
    vlga export digits-1 --to small/ --under parameters=100k
    """  # noqa: D301  # \b keeps click from filling the examples
    formats = [*FORMATS] if form == "all" else [form]
    bound = None if under is None else parse_bound(under)
    with closing(SqlStore(db_url, create=False)) as store:
        if bound is not None:
            search = fittest_under(store, search, bound)
        names = export(store, search, folder, formats)
    click.echo(f"{folder}: {', '.join(names)}")
    if "source" in formats:
        click.echo(f"next:  python {shlex.quote(str(folder / 'predict.py'))} IMAGE...")
