"""``vlga individual``: one network: its layers, its origin and its learning curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click
from sqlalchemy import Engine

from db.connection.engine import opened
from db.read import searches
from db.read.mistakes import winner_mistakes
from vlga.cli.completion import search_argument
from vlga.cli.options import INDIVIDUAL_ID, db_option, format_option
from vlga.cli.screen import screen_width
from vlga.errors import ConfigError
from vlga.ports.mistakes import Mistakes
from vlga.report.committee import members_text
from vlga.report.formats import as_csv, as_json, as_table, filled
from vlga.report.mistakes import mistakes_text, mistakes_tree
from vlga.report.network import (
    layer_rows,
    network_facts,
    network_plan,
    training_text,
)

__all__ = ["individual"]


_COLUMNS = ("layer", "what", "shape", "parameters", "macs")


@click.command()
@search_argument("search")
@click.argument("id_", metavar="ID", type=INDIVIDUAL_ID)
@click.option(
    "--mistakes",
    "with_mistakes",
    is_flag=True,
    help="Also what the winner, or the committee that it is in, got wrong on the test images.",
)
@db_option
@format_option
def individual(search: str, id_: int, with_mistakes: bool, db_url: str, form: str) -> None:
    """Show one individual: its origin, its layers with shapes and parameters, how it learned."""
    if with_mistakes and form == "csv":
        raise click.UsageError("--mistakes has no form of CSV: leave it out, or --format csv")
    with opened(db_url) as engine:
        found = searches.individual(engine, search, id_)
        data = searches.show_search(engine, search)
        mistakes = _mistakes(engine, data, id_) if with_mistakes else None
    plan = network_plan(found, data)
    layers = layer_rows(plan)
    if form == "json":
        more = {} if mistakes is None else {"mistakes": mistakes_tree(mistakes)}
        click.echo(as_json({**found, "layers": layers, **more}))
    elif form == "csv":
        click.echo(as_csv(layers, _COLUMNS))
    else:
        parts = [
            filled(_story(search, found, network_facts(found, plan)), screen_width(), indent=11),
            as_table(layers, _COLUMNS, width=screen_width(), spare=("macs", "what")),
            *(_learning(one, data) for one in found["evaluations"]),
            "\n".join(
                f"{artifact['kind'].replace('_', ' '):13}  {artifact['path']}"
                for artifact in found["artifacts"]
            ),
            "" if mistakes is None else _mistakes_text(mistakes, data),
        ]
        click.echo("\n\n".join(part for part in parts if part))


def _mistakes(engine: Engine, data: Mapping[str, Any], number: int) -> Mistakes:
    """Give what a winner got wrong."""
    name, best = data["name"], data["best"]
    if best is None or best["id"] != number:
        known = "has none yet" if best is None else f"has #{best['id']}"
        raise ConfigError(
            "--mistakes must be of the winner, for which alone the test images are kept, but got "
            f"#{number}; {name!r} {known}"
        )
    return winner_mistakes(engine, name)


def _mistakes_text(mistakes: Mistakes, data: Mapping[str, Any]) -> str:
    """Say what was got wrong, and that it was by the committee, if there is one."""
    text = mistakes_text(mistakes, screen_width())
    return f"{members_text(data['committee'])}: {text}" if data["committee"] else text


def _story(search: str, found: Mapping[str, Any], facts: Mapping[str, str]) -> str:
    """Describe where an individual comes from and how it is trained."""
    place = f"#{found['id']} of {search}, phase {found['phase']} generation {found['generation']}"
    rung = f", rung {found['rung']}" if found["rung"] else ""
    return "\n".join([place + rung, *(f"{what:9}  {text}" for what, text in facts.items())])


def _learning(evaluation: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Describe a training epoch by epoch, with a bar for the accuracy."""
    return "\n".join([training_text(evaluation, data), *_curve(evaluation["curve"])])


def _curve(curve: Sequence[Mapping[str, Any]]) -> list[str]:
    if not curve:
        return []
    rows = []
    # a longer training is scored at its end only, which its head tells
    is_scored = all(point["validation_accuracy"] is not None for point in curve)
    for point in curve:
        measured = point["validation_accuracy"]
        accuracy = measured if is_scored else point["train_accuracy"]
        rows.append(
            {
                "epoch": point["epoch"] + 1,
                "learning rate": f"{point['learning_rate']:.4f}",
                "train loss": point["train_loss"],
                "train": point["train_accuracy"],
                "score": measured,
                "": "█" * round(20 * accuracy) or "▏",
                "amplified": len(point["amplified_layers"]) or None,
            }
        )
    columns = list(rows[0])
    if not is_scored:
        columns.remove("score")
    spare = ("learning rate", "amplified")
    return as_table(rows, columns, width=screen_width(), spare=spare).splitlines()
