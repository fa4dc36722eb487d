"""``vlga predict``: a search's trained network, put to use on new images."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from db.store import SqlStore
from vlga.app.predictions import Prediction, predict
from vlga.cli.completion import search_argument
from vlga.cli.options import db_option, format_option
from vlga.cli.screen import screen_width
from vlga.report.formats import as_csv, as_json, as_table, number_of

__all__ = ["predict_"]

_COLUMNS = ("file", "class", "probability")


@click.command("predict")
@search_argument("search", "SEARCH[:ID|:committee]")
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--top",
    "n_classes",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Classes to give of each image, the most probable first.",
)
@db_option
@format_option
def predict_(search: str, images: tuple[Path, ...], n_classes: int, db_url: str, form: str) -> None:
    """Classify images with what a search answers with, or with its network ID.

    That is its committee, if it has one, whose members are averaged, else its winner. IMAGES are
    image files, folders of them, and .npz archives, whose array x, or only array, is uint8 (n,
    height, width[, channels]). They are scaled and cut as those of a folder are when a search
    begins. Files that cannot be read are named on stderr; the exit code is then 1.

    \b
    vlga predict digits-1 photo.jpg more/ --top 3
    vlga predict digits-1:7 photos/ --format csv > classes.csv
    """  # noqa: D301  # \b keeps click from filling the examples
    with closing(SqlStore(db_url, create=False)) as store:
        found = [*predict(store, search, images, n_classes)]
    click.echo(_shown(found, form))
    problems = [one for one in found if one.problem]
    for one in problems:
        click.echo(f"vlga: {one.file!r} is no readable image: {one.problem}", err=True)
    if problems:
        click.echo(f"vlga: {number_of(len(problems), 'file')} could not be read", err=True)
        sys.exit(1)


def _shown(found: list[Prediction], form: str) -> str:
    """Give a row for each image and class; JSON has one object for each image."""
    if form == "json":
        return as_json([_tree(one) for one in found])
    rows = [
        {"file": one.file, "class": name, "probability": f"{probability:.4f}"}
        for one in found
        for name, probability in one.classes
    ]
    if form == "csv":
        return as_csv(rows, _COLUMNS)
    return as_table(rows, _COLUMNS, right=("probability",), width=screen_width())


def _tree(one: Prediction) -> dict[str, Any]:
    classes = [{"class": name, "probability": probability} for name, probability in one.classes]
    best = classes[0] if classes else dict.fromkeys(("class", "probability"))
    return {"file": one.file, **best, "classes": classes, "problem": one.problem or None}
