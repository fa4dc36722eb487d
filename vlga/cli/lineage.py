"""``vlga lineage``: the ancestry of an individual as a tree."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import click

from db.connection.engine import opened
from db.read.lineage import ancestors
from vlga.cli.completion import search_argument
from vlga.cli.options import INDIVIDUAL_ID, db_option, format_option
from vlga.cli.screen import screen_width
from vlga.genetics.changes import changed_genes, changes_text
from vlga.genetics.genome import Genome
from vlga.report.formats import as_csv, as_json, as_table

__all__ = ["lineage", "tree"]

_RULER = 100
_COLUMNS = (
    "id", "parents", "fitness", "phase", "generation", "rung", "operator", "changes", "distance",
)  # fmt: skip


@click.command()
@search_argument("search")
@click.argument("id_", metavar="ID", type=INDIVIDUAL_ID)
@click.option(
    "--depth", type=click.IntRange(0, 2**31), help="Generations to go back; all if not given."
)
@db_option
@format_option
def lineage(search: str, id_: int, depth: int | None, db_url: str, form: str) -> None:
    """Show an individual's ancestors as a tree, and which genes changed in each step.

    Changes are those from the first parent. An ancestor that appears in several branches is shown
    in full in the first one.
    """
    with opened(db_url) as engine:
        family = ancestors(engine, search, id_, depth=depth)
    genomes = {one["id"]: Genome.from_dict(one["genome"]) for one in family}
    if form == "json":
        rows = [
            {
                **{key: value for key, value in one.items() if key != "genome"},
                "changes": _changes(one, genomes, changed_genes),
            }
            for one in family
        ]
        click.echo(as_json(rows))
        return
    rows = [{**one, "changes": _changes(one, genomes, changes_text)} for one in family]
    if form == "csv":
        parents = ({**row, "parents": " ".join(map(str, row["parents"]))} for row in rows)
        click.echo(as_csv([*parents], _COLUMNS))
        return
    click.echo(tree(rows, screen_width()))


def tree(family: Sequence[Mapping[str, Any]], width: int | None = None) -> str:
    """Draw a family as a tree with its youngest member on top.

    Args:
        family: rows of `db.read.lineage.ancestors` with `changes` as text, the youngest first.
        width: characters in a line, or None for any number.
    """
    known = {one["id"] for one in family}
    lines = []
    for branch, one, is_again in _walk(family):
        lines.append(
            {
                "individual": f"{branch}#{one['id']}",
                "fitness": "" if is_again else _score(one),
                "made": "" if is_again else f"{one['phase']}.{one['generation']}",
                "by": "shown above" if is_again else _maker(one, known),
                "changes": "" if is_again else one["changes"],
            }
        )
    head, ruler, *rest = as_table(lines, list(lines[0]), width=width, spare=("made",)).splitlines()
    return "\n".join([head, ruler[:_RULER], *rest])  # a line with many changes may be longer


def _walk(
    family: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Give every line of the tree: its branches, the individual, and whether it was shown before.

    Without recursion, since a lineage may be thousands of generations long.
    """
    by_id = {one["id"]: one for one in family}
    shown: set[int] = set()
    # What is still to be shown, the next one last: the text before its own line, the text before
    # the lines of its parents, and the individual.
    waiting = [("", "", family[0])]
    while waiting:
        branch, below, one = waiting.pop()
        is_again = one["id"] in shown
        yield branch, one, is_again
        if is_again:
            continue
        shown.add(one["id"])
        parents = [by_id[number] for number in dict.fromkeys(one["parents"]) if number in by_id]
        for number, parent in reversed([*enumerate(parents, start=1)]):
            is_last = number == len(parents)
            start, more = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
            waiting.append((below + start, below + more, parent))


def _changes(one: Mapping[str, Any], genomes: Mapping[int, Genome], tell: Any) -> Any:
    """Give what differs from the first parent; None or nothing if that one is not known."""
    parents = one["parents"]
    if not parents or parents[0] not in genomes:
        return None if tell is changed_genes else ""
    return tell(genomes[one["id"]], genomes[parents[0]])


def _score(one: Mapping[str, Any]) -> str:
    if one["fitness"] is None:
        return one["reason"] or "-"
    return f"{one['fitness']:.4f}"


def _maker(one: Mapping[str, Any], known: Collection[int]) -> str:
    """Name the operators, and the parents that the tree leaves out."""
    by = str(one["operator"]).replace("_", " ").replace("+", " + ")
    by += f" to rung {one['rung']}" if one["rung"] else ""
    absent = [f"#{parent}" for parent in one["parents"] if parent not in known]
    return f"{by} of {' and '.join(absent)}" if absent else by
