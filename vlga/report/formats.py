"""Printing rows as a table, JSON or CSV, without rich: importing it takes longer than a query."""

from __future__ import annotations

import csv
import io
import json
import textwrap
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from vlga.errors import plain
from vlga.ports.machines import Machines

__all__ = [
    "as_csv",
    "as_json",
    "as_table",
    "at_a_time_text",
    "count_text",
    "filled",
    "machines_text",
    "number_of",
    "ordinal",
    "pace_text",
    "render",
    "seconds_text",
]

Row = Mapping[str, Any]

#: Characters that a column needs for going on in further lines.
_LEAST_ROOM = 12


def render(
    rows: Sequence[Row],
    form: str,
    columns: Sequence[str],
    *,
    width: int | None = None,
    spare: Sequence[str] = (),
) -> str:
    """Give rows in the form asked for.

    Args:
        rows: mappings with at least the `columns`.
        form: ``table | json | csv``; json keeps every key, the others only the columns.
        columns: what to show, in order.
        width: as for `as_table`.
        spare: as for `as_table`.
    """
    if form == "json":
        return as_json(list(rows))
    if form == "csv":
        return as_csv(rows, columns)
    return as_table(rows, columns, width=width, spare=spare)


def as_json(value: Any) -> str:
    """Give a value as indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def as_csv(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """Give rows as CSV with a header; an absent value is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().rstrip("\n")


def as_table(
    rows: Sequence[Row],
    columns: Sequence[str],
    right: Collection[str] = (),
    *,
    width: int | None = None,
    spare: Sequence[str] = (),
) -> str:
    """Give rows under a header, an absent value as a dash.

    Args:
        rows: mappings with the `columns`.
        columns: what to show, in order.
        right: columns to align to the right, besides those that hold numbers.
        width: characters in a line, or None for any number. A wider table is shown without some
            columns; if it is too wide even so, what does not fit in its last column goes on below.
        spare: the columns that it can do without, the first to go first.
    """
    n_left_out = 0
    while True:
        left_out = spare[:n_left_out]
        kept = [column for column in columns if column not in left_out]
        lines = _lines(rows, kept, right)
        if width is None or n_left_out == len(spare) or len(lines[1]) <= width:
            break
        n_left_out += 1
    if width is not None and len(lines[1]) > width:
        lines = _wrapped(lines, width)
    return "\n".join(lines)


def _wrapped(lines: Sequence[str], width: int) -> list[str]:
    """Let the last column of a table go on in further lines, at its own place."""
    ruler = lines[1]
    start = ruler.rindex(" ") + 1 if " " in ruler else 0
    room = width - start
    if room < _LEAST_ROOM:
        return [*lines]
    wrapped = [lines[0], ruler[:width]]
    for line in lines[2:]:
        before, last = _parted(line, start)
        # A path stays in one piece, to be copied.
        first, *more = textwrap.wrap(
            last, room, break_long_words=False, break_on_hyphens=False
        ) or [""]
        wrapped += [(before + first).rstrip(), *(" " * start + text for text in more)]
    return wrapped


def _lines(rows: Sequence[Row], columns: Sequence[str], right: Collection[str]) -> list[str]:
    """Give a table's lines: its header, a rule and its rows."""
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    to_the_right = [
        column in right or any(isinstance(row.get(column), (int, float)) for row in rows)
        for column in columns
    ]
    header = [column.replace("_", " ") for column in columns]
    widths = [max(map(_width, column)) for column in zip(header, *cells, strict=True)]
    head, *lines = (
        "  ".join(
            _padding(cell, width) + cell if to_right else cell + _padding(cell, width)
            for cell, width, to_right in zip(line, widths, to_the_right, strict=True)
        ).rstrip()
        for line in (header, *cells)
    )
    return [head, "  ".join("─" * width for width in widths), *lines]


def _padding(cell: str, width: int) -> str:
    return " " * (width - _width(cell))


def _width(text: str) -> int:
    """Give the columns of a terminal that a text takes: wide characters take two, marks none.

    rich can tell too, but reading commands do without it.
    """
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1
        for one in text
    )


def _parted(line: str, column: int) -> tuple[str, str]:
    """Part a line at a column of the terminal."""
    index = column if line.isascii() else 0
    while index < len(line) and _width(line[:index]) < column:
        index += 1
    return line[:index], line[index:]


def filled(text: str, width: int | None, indent: int = 0) -> str:
    """Break each line of a text at blanks, so that it has at most this many characters.

    Args:
        text: any number of lines.
        width: characters in a line, or None for any number.
        indent: blanks before what goes on in a further line.
    """
    if width is None:
        return text
    return "\n".join(
        "\n".join(
            textwrap.wrap(
                line,
                width,
                subsequent_indent=" " * indent,
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
        if len(line) > width
        else line
        for line in text.split("\n")
    )


def count_text(number: float) -> str:
    """Give a count with three digits: 950, 12.3 k, 4.56 M, 1.20 G."""
    number = float(f"{number:.3g}")
    for divisor, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= divisor:
            value = number / divisor
            return f"{value:.{max(0, 3 - len(str(int(value))))}f} {unit}"
    return f"{number:.0f}"


def number_of(number: int, noun: str) -> str:
    """Give a count with its noun: 1 epoch, 30 epochs."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def ordinal(number: int) -> str:
    """Give a place as 1st, 2nd, 3rd or 11th."""
    is_teen = 10 <= number % 100 <= 20
    return f"{number:,}{'th' if is_teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def seconds_text(seconds: float) -> str:
    """Give a duration as 0:07, 12:34 or 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def pace_text(per_minute: float) -> str:
    """Give a pace as "75 trainings a minute", or an hour if it is less than one a minute."""
    pace, unit = (per_minute, "a minute") if per_minute >= 1 else (60 * per_minute, "an hour")
    return f"{pace:,.{0 if pace >= 10 else 1}f} trainings {unit}"


def at_a_time_text(n_slots: int, machines: Machines) -> str:
    """Say how many trainings run at once and, unless it is one machine without GPUs, where."""
    where = machines_text(machines)
    return f"{n_slots} at a time{where and ' on ' + where}"


def machines_text(machines: Machines) -> str:
    """Give the number of machines and GPUs; empty for one machine without GPUs."""
    n_nodes = number_of(machines.n_nodes, "machine") if machines.n_nodes != 1 else ""
    n_gpus = number_of(machines.n_gpus, "GPU") if machines.n_gpus else ""
    return " with ".join(filter(None, (n_nodes, n_gpus)))


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, int):
        return f"{value:,}"
    return plain(str(value))
