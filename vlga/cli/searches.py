"""``vlga list``, ``show`` and ``top``: what is in a database. Loads neither torch nor Ray."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import click
from sqlalchemy import Engine

from db.connection.engine import opened
from db.read import searches
from db.read.reports import search_front
from vlga.cli.completion import search_argument
from vlga.cli.options import db_hint, db_option, format_option
from vlga.cli.screen import screen_width
from vlga.errors import SearchNotFound, plain
from vlga.ports.data import fitness_label
from vlga.ports.state import State, queue_places
from vlga.report.committee import committee_text, tested_of
from vlga.report.formats import (
    as_csv,
    as_json,
    count_text,
    filled,
    number_of,
    ordinal,
    pace_text,
    render,
    seconds_text,
)
from vlga.report.rivals import rivals_lines, scores_text

__all__ = ["list_", "show", "top"]


@click.command("list")
@db_option
@format_option
def list_(db_url: str, form: str) -> None:
    """List the searches of a database, the newest first."""
    with opened(db_url) as engine:
        rows = searches.list_searches(engine)
        places = _places(engine, rows) if form == "table" else {}
    columns = ["name", "status", "strategy", "data", "evaluations", "best_fitness", "created_at"]
    if form != "table":
        columns.append("state")
    if form == "table":
        rows = [
            {
                **row,
                "status": row["state"]
                + (f", {ordinal(places[row['name']])}" if row["name"] in places else ""),
                "created_at": row["created_at"][:16].replace("T", " "),
            }
            for row in rows
        ]
        if not rows:
            click.echo("no searches yet; start one with: vlga search", err=True)
            return
    spare = ("strategy", "evaluations", "data", "created_at")
    click.echo(render(rows, form, columns, width=screen_width(), spare=spare))
    if form == "table":
        for name in (row["name"] for row in rows if row["status"] == State.LOST):
            way_on = _way_on(name, db_url)
            click.echo(f"the process of {name} is gone; go on with: {way_on}", err=True)


@click.command()
@search_argument("search")
@db_option
@format_option
def show(search: str, db_url: str, form: str) -> None:
    """Show one search: its state, its settings and what it found."""
    with opened(db_url) as engine:
        found = _found(engine, search)
        place = _places(engine, [found]).get(search)
    if form == "json":
        click.echo(as_json(found))
        return
    best, counts, kind = found["best"], found["evaluations"], found["fitness"]
    tested, committee = tested_of(found), found["committee"]
    is_tested = tested["test_accuracy"] is not None
    measure = fitness_label(kind, found["fitness_on"])
    is_usual = measure == "validation accuracy"
    began = "started" if found["images"] else "submitted"
    flat = {
        "name": found["name"],
        "status": found["state"] + (f", {ordinal(place)} in the queue" if place else ""),
        "now": found["progress"] and _now(found["progress"]),
        "message": found["message"] or found.get("note"),
        "strategy": found["strategy"],
        "seed": found["seed"],
        "data": found["data"],
        "images": found["images"]
        and " + ".join(f"{n:,} {split}" for split, n in found["images"].items()),
        "shape": found["input_shape"]
        and "x".join(map(str, found["input_shape"])) + f", {len(found['classes'])} classes",
        "evaluations": ", ".join(f"{n} {word}" for word, n in counts.items()),
        "failures": ", ".join(f"{n} {why}" for why, n in found["failures"].items()),
        "best": best and f"#{best['id']}",
        "validation_accuracy" if is_usual else "fitness": best
        and f"{best['fitness']:.4f}{'' if is_usual else f' ({measure})'}",
        "test_accuracy": scores_text(tested, found["images"]["test"], kind) if is_tested else None,
        "committee": committee and committee_text(committee),
        "winner_alone": committee
        and f"test accuracy {scores_text(best, found['images']['test'], kind)}",
        "for_comparison": "; ".join(rivals_lines(found, tested["test_fitness"])).removeprefix(
            "for comparison: "
        ),
        "network": best
        and f"{number_of(best['depth'], 'convolution')}, "
        f"{count_text(best['parameters'])} parameters",
        "took": seconds_text(found["seconds"]),
        began: found["created_at"][:16].replace("T", " ") + " UTC",
    }
    if form == "csv":
        click.echo(as_csv([flat], list(flat)))
        return
    if found["state"] == State.LOST:
        flat["go on with"] = _way_on(search, db_url)
    width = max(map(len, flat))
    for key, value in flat.items():
        if value not in (None, ""):
            line = f"{key.replace('_', ' '):{width}}  {plain(str(value))}"
            # A command stays in one piece, to be copied.
            fits = key == "go on with"
            click.echo(line if fits else filled(line, screen_width(), indent=width + 2))


def _found(engine: Engine, search: str) -> dict[str, Any]:
    """Give a search, or a submission that is not entered yet, whose status is its state."""
    try:
        return searches.show_search(engine, search)
    except SearchNotFound:
        from db.service.queue import SqlQueue
        from vlga.service.views import search_view

        found = search_view(engine, SqlQueue(engine), search)
        return {**found, "status": found["state"]}


def _places(engine: Engine, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Give the places in the queue of those of these searches that wait."""
    if all(row["state"] != State.QUEUED for row in rows):
        return {}
    from db.service.queue import SqlQueue

    return queue_places(SqlQueue(engine).unsettled())


def _now(progress: dict[str, Any]) -> str:
    """Say what a running search is doing."""
    if progress["final"] is not None:
        final = progress["final"]
        what = "the winner " if final["number"] == 1 else ""
        which = "" if final["n_members"] == 1 else f", {final['number']} of {final['n_members']},"
        return f"training {what}#{final['id']}{which} for {number_of(final['epochs'], 'epoch')}"
    parts = [
        f"phase {progress['phase']} generation {progress['generation']}",
        f"{progress['n_running']} in training",
    ]
    if progress["trainings_per_minute"] is not None:
        parts.append(pace_text(progress["trainings_per_minute"]))
    if progress["seconds_left"] is not None:
        left = max(0.0, progress["seconds_left"] - progress["age_seconds"])
        parts.append(f"budget for {seconds_text(left)} more")
    return ", ".join(parts)


def _way_on(name: str, db_url: str) -> str:
    """Give the command that goes on with a search."""
    return f"vlga resume {shlex.quote(name)}{db_hint(db_url)}"


@click.command()
@search_argument("search")
@click.option(
    "-n",
    "limit",
    type=click.IntRange(1, 1_000_000),
    help="How many.  [default: 10; all of a front]",
)
@click.option(
    "--front",
    "is_front",
    is_flag=True,
    help="Those that no other is as good as in all objectives of the search; in fitness and "
    "parameters, if it has fitness alone.",
)
@db_option
@format_option
def top(search: str, limit: int | None, is_front: bool, db_url: str, form: str) -> None:
    """Show a search's fittest individuals, each network once."""
    with opened(db_url) as engine:
        shown = searches.show_search(engine, search)
        has_latency = is_front and "latency" in shown["config"].get("objectives", ())
        size = ("parameters", "macs", *["latency_ms"] * has_latency, "depth")
        made = ("phase", "generation", "rung", "epochs")
        columns = ("id", "fitness", *size, *made, "fingerprint")
        if is_front:
            front = search_front(engine, search)[:limit]
            rows = [{key: getattr(one, key) for key in columns} for one in front]
        else:
            rows = searches.top(engine, search, limit=limit or 10)
    if form == "table":  # what is enough to tell networks apart
        rows = [{**row, "fingerprint": row["fingerprint"][:8]} for row in rows]
    spare = ("fingerprint", "rung", "epochs", "macs", "generation")
    if rows or form != "table":
        click.echo(render(rows, form, columns, width=screen_width(), spare=spare))
    else:
        click.echo(f"no network of {search!r} has a fitness yet", err=True)
    if shown["fitness_on"] == "test":
        click.echo(shown["data"], err=True)
    if shown["fitness"] != "accuracy":
        click.echo(f"fitness: {fitness_label(shown['fitness'], shown['fitness_on'])}", err=True)
