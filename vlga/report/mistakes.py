"""What a network gets wrong on test images, in words, tables and pictures."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from html import escape
from typing import Any

from vlga.ports.mistakes import Mistake, Mistakes
from vlga.report import html
from vlga.report.formats import as_table, number_of

__all__ = [
    "class_rows",
    "mistakes_html",
    "mistakes_line",
    "mistakes_text",
    "mistakes_tree",
    "more_classes",
    "picture_address",
]

#: Classes and mistakes that are listed, and classes that a confusion matrix may have on a page.
_MOST_CLASSES, _MOST_MISTAKES, _MOST_COLUMNS = 20, 10, 20


def mistakes_tree(mistakes: Mistakes) -> dict[str, Any]:
    """Give what JSON has of it: the fields but pictures, and what follows from them."""
    derived = ("accuracy", "class_accuracies", "confidence", "calibration_error")
    tree = {**mistakes.to_dict(), **{name: getattr(mistakes, name) for name in derived}}
    for one in tree["worst"]:
        del one["png"]
    return tree


def mistakes_html(mistakes: Mistakes) -> str:
    """Give a part of a page: the classes, the surest mistakes as pictures, the confusion matrix."""
    return "\n".join(_parts(mistakes))


def _parts(mistakes: Mistakes) -> Iterator[str]:
    line = mistakes_line(mistakes)
    yield html.paragraph(f"{line[0].upper()}{line[1:]}.")
    rows = class_rows(mistakes)
    cells = [["-" if cell is None else str(cell) for cell in row.values()] for row in rows]
    yield html.table([*rows[0]], cells)
    if more := more_classes(mistakes):
        yield html.paragraph(f"{more}.")
    if mistakes.worst:
        yield html.paragraph("The mistakes that it was surest of:")
        yield "<div>" + "".join(map(_picture, mistakes.worst)) + "</div>"
    if len(mistakes.classes) <= _MOST_COLUMNS:
        matrix = [
            [name, *map(str, row)]
            for name, row in zip(mistakes.classes, mistakes.confusion, strict=True)
        ]
        table = html.table(["is, and is taken for", *mistakes.classes], matrix)
        yield html.details("The confusion matrix", table)


def _picture(one: Mistake) -> str:
    return (
        '<figure style="display: inline-block; margin: 0.25rem; text-align: center">'
        f'<img src="{picture_address(one)}" alt="" style="width: 6rem; image-rendering: pixelated">'
        f"<figcaption>{escape(one.is_a)}<br>taken for {escape(one.taken_for)}"
        f"<br>{one.confidence:.2f}</figcaption></figure>"
    )


def picture_address(one: Mistake) -> str:
    """Give a mistake's picture as the address of an ``img``."""
    return f"data:image/png;base64,{b64encode(one.png).decode()}"


def mistakes_text(mistakes: Mistakes, width: int | None = None) -> str:
    """Say how many images of each class are right, what for the others are taken, and how surely.

    Args:
        mistakes: on the test images.
        width: characters in a line; None if it has no end.
    """
    rows = class_rows(mistakes)
    table = as_table(rows, tuple(rows[0]), width=width)
    more = more_classes(mistakes)
    parts = [mistakes_line(mistakes), f"{table}\n{more}" if more else table]
    if mistakes.worst:
        rows = [
            {
                "most confident mistakes": f"test image {one.index}",
                "is": one.is_a,
                "taken for": one.taken_for,
                "confidence": one.confidence,
            }
            for one in mistakes.worst[:_MOST_MISTAKES]
        ]
        parts.append(as_table(rows, tuple(rows[0]), width=width))
    return "\n\n".join(parts)


def mistakes_line(mistakes: Mistakes) -> str:
    """Say how many are wrong, and how well the network knows how sure it may be."""
    return (
        f"of {number_of(mistakes.n_images, 'test image')} {mistakes.n_wrong:,} wrong; accuracy "
        f"{mistakes.accuracy:.4f}, mean confidence {mistakes.confidence:.4f}, expected calibration "
        f"error {mistakes.calibration_error:.4f}"
    )


def class_rows(mistakes: Mistakes) -> list[dict[str, Any]]:
    """Give rows of `class images right taken for`, the least accurate classes first, 20 at most."""
    rows: list[dict[str, Any]] = []
    for number, (name, row) in enumerate(zip(mistakes.classes, mistakes.confusion, strict=True)):
        others = [
            (n, other)
            for place, (n, other) in enumerate(zip(row, mistakes.classes, strict=True))
            if n and place != number
        ]
        others.sort(key=lambda one: -one[0])
        rows.append(
            {
                "class": name,
                "images": sum(row),
                "right": mistakes.class_accuracies[number],
                "taken for": ", ".join(f"{other} ({n})" for n, other in others[:3]) or None,
            }
        )
    rows.sort(key=lambda row: 2.0 if row["right"] is None else row["right"])
    return rows[:_MOST_CLASSES]


def more_classes(mistakes: Mistakes) -> str:
    """Say that `class_rows` leaves some out, if it does."""
    n_more = len(mistakes.classes) - _MOST_CLASSES
    classes = "class" if n_more == 1 else "classes"
    return f"and {n_more:,} more {classes}, none less accurate" if n_more > 0 else ""
