"""``vlga data``: the data sets that have a name, and a look at any before a search."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vlga import __version__
from vlga.cli.completion import complete_data
from vlga.cli.options import format_option, result_option, set_option
from vlga.cli.screen import screen_width
from vlga.errors import DataError
from vlga.report.files import MARK, replace_file, require_own
from vlga.report.formats import as_json, as_table, filled, render

if TYPE_CHECKING:
    from workers.data.seen import Seen
    from workers.data.survey import Survey

__all__ = ["data"]

_DATA_DIR = click.option("--data-dir", envvar="VLGA_DATA", help="Folder of torchvision's files.")

#: What a training does to images, by `training.augment`.
_AUGMENTED = {
    "none": "takes images as they are",
    "crop": "shifts images a little, and never mirrors them",
    "crop_flip": "shifts images a little, and mirrors half of them",
}


@click.group(no_args_is_help=False)
def data() -> None:
    """Look at images before a search."""


@data.command("list")
@_DATA_DIR
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
            "or a folder of class folders; see vlga data show PATH",
            err=True,
        )


@data.command("show")
@click.argument("path", shell_complete=complete_data)
@click.option(
    "--sheet",
    type=click.Path(path_type=Path),
    help="Write a contact sheet, a few images of each class as networks see them, to this PNG.",
)
@click.option("--force", is_flag=True, help="Overwrite a file of --sheet that is none of vlga.")
@_DATA_DIR
@set_option("A setting of the search; repeatable.")
@result_option
def data_show(
    path: str,
    *,
    sheet: Path | None,
    force: bool,
    data_dir: str | None,
    settings: tuple[str, ...],
    form: str,
) -> None:
    """Show what images there are, and what a search would do with them.

    PATH is what --data of vlga search takes: a folder of class folders, an .npz file or a known
    name. The exit code is 2 if a search would refuse it.

    \b
    vlga data show my_images/ --sheet my_images.png
    vlga data show my_images/ --set data.image_size=96
    """  # noqa: D301  # \b keeps click from filling the examples
    from vlga.app.evaluators import say_if_uneven
    from vlga.config.load import load_config
    from workers.data.load import read_dataset
    from workers.data.survey import survey

    config = load_config(settings=settings, overrides={"data.name": path, "data.dir": data_dir})
    if sheet:
        require_own(
            "--sheet",
            sheet,
            None,
            way_out="choose another name, or overwrite it with --force",
            force=force,
        )
    raw = read_dataset(config.data, only_readable=True)
    found = survey(raw, config.data)
    counts = [one.train for one in found.classes if one.train]
    if counts:
        say_if_uneven(config, found.name, counts)
    tree = _tree(found, path, config.training.augment)
    click.echo(as_json(tree) if form == "json" else _text(found, tree, screen_width()))
    if sheet:
        from workers.data.sheet import contact_sheet

        replace_file("--sheet", sheet, contact_sheet(raw, f'{MARK}{__version__}"'))
        click.echo(f"sheet: {sheet}", err=True)
    if found.problem:
        raise DataError(found.problem)


def _tree(found: Survey, path: str, augment: str) -> dict[str, Any]:
    """Give what was found as JSON has it."""
    seen = found.seen
    if augment == "auto" and found.may_mirror is not None:
        augment = "crop_flip" if found.may_mirror else "crop"
    return {
        "name": found.name,
        "path": _where(path),
        "classes": [
            {
                "class": one.name,
                "images": one.images,
                "train": one.train,
                "validation": one.validation,
                "test": one.test,
            }
            for one in found.classes
        ],
        "files": seen
        and {
            "sizes": [
                {"height": height, "width": width, "images": n}
                for (height, width), n in seen.sizes.items()
            ],
            "kinds": dict(seen.kinds),
            "transparent": seen.n_transparent,
            "turned": seen.n_turned,
            "broken": [{"file": str(file), "why": why} for file, why in seen.broken.items()],
        },
        "copies": found.n_copies,
        "copies_in_test": found.n_shared,
        "copies_of_other_classes": found.n_of_others,
        "input_shape": [*found.shape],
        "cut": found.is_cut,
        "padded": found.is_padded,
        "fitness_on": found.fitness_on,
        "augment": None if augment == "auto" else augment,
        "problem": found.problem or None,
    }


def _where(path: str) -> str:
    """Give the place of one's own images; a known name as it is."""
    from workers.data import is_known

    return path if is_known(path) else str(Path(path).expanduser().resolve())


def _text(found: Survey, tree: dict[str, Any], width: int | None) -> str:
    """Give a table of the classes, and a line for everything else."""
    rows = tree["classes"]
    columns = [key for key in rows[0] if rows[0][key] is not None]
    total = {key: "all" if key == "class" else sum(row[key] for row in rows) for key in columns}
    lines = [("where", tree["path"])]
    if found.seen:
        lines += _files_lines(found.seen, Path(tree["path"]))
    channels, height, pixels = found.shape
    colour = {1: "grey", 3: "colour", 4: "colour and transparency"}[channels]
    part = "the centre of each" if found.is_cut else "the whole picture"
    part += ", with black around" if found.is_padded else ""
    lines.append(("networks see", f"{colour} of {height}x{pixels} pixels, {part}"))
    if tree["augment"]:
        lines.append(("training", f"{_AUGMENTED[tree['augment']]}; see training.augment"))
    if found.fitness_on == "test":
        lines.append(("fitness", "on the TEST images"))
    indent = max(len(name) for name, _ in lines) + 2
    facts = (filled(f"{name:<{indent}}{line}", width, indent) for name, line in lines)
    return "\n".join([as_table([*rows, total], columns, width=width), "", *facts])


def _files_lines(seen: Seen, folder: Path) -> list[tuple[str, str]]:
    """Say what the files are, and which are broken."""
    sizes = seen.sizes_text
    if len(seen.sizes) > 1:
        (height, width), n = max(seen.sizes.items(), key=lambda one: one[1])
        sizes += f", {n:,} of them {height}x{width}"
    kinds = ", ".join(f"{n:,} {kind}" for kind, n in seen.kinds.items())
    lines = [("sizes", sizes), ("files", kinds)]
    if seen.n_turned:
        lines.append(("turned", f"{seen.n_turned:,}, upright by their EXIF data"))
    broken = [f"{file.resolve().relative_to(folder)}: {why}" for file, why in seen.broken.items()]
    return [*lines, *zip(("broken", *[""] * len(broken)), broken, strict=False)]
