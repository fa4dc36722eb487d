"""What a network gets wrong on test images, in words and pictures."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import asdict
from html import escape
from typing import Any

from vlga.ports.mistakes import Mistakes
from vlga.report.formats import as_table, number_of

__all__ = ["mistakes_html", "mistakes_text", "mistakes_tree"]

#: Classes and mistakes that are listed.
_MOST_CLASSES, _MOST_MISTAKES = 20, 10


def mistakes_tree(mistakes: Mistakes) -> dict[str, Any]:
    """Give what JSON has of it: the fields but pictures, and what follows from them."""
    derived = ("accuracy", "class_accuracies", "confidence", "calibration_error")
    tree = {**asdict(mistakes), **{name: getattr(mistakes, name) for name in derived}}
    for one in tree["worst"]:
        del one["png"]
    return tree


def mistakes_html(mistakes: Mistakes) -> str:
    """Give a part of a page: the text, and pictures of the most confident mistakes."""
    pictures = "".join(
        '<figure style="display: inline-block; margin: 4px; text-align: center">'
        f'<img src="data:image/png;base64,{b64encode(one.png).decode()}" alt="" '
        'style="width: 96px; image-rendering: pixelated">'
        f"<figcaption>{escape(one.is_a)}<br>taken for {escape(one.taken_for)}"
        f"<br>{one.confidence:.2f}</figcaption></figure>"
        for one in mistakes.worst
    )
    return f"<pre>{escape(mistakes_text(mistakes))}</pre>{pictures}"


def mistakes_text(mistakes: Mistakes, width: int | None = None) -> str:
    """Say how many images of each class are right, what for the others are taken, and how surely.

    Args:
        mistakes: on the test images.
        width: characters in a line; None if it has no end.
    """
    head = (
        f"of {number_of(mistakes.n_images, 'test image')} {mistakes.n_wrong:,} wrong; accuracy "
        f"{mistakes.accuracy:.4f}, mean confidence {mistakes.confidence:.4f}, expected calibration "
        f"error {mistakes.calibration_error:.4f}"
    )
    parts = [head, _classes(mistakes, width)]
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


def _classes(mistakes: Mistakes, width: int | None) -> str:
    """Give a table of the classes, the least accurate first."""
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
    text = as_table(rows[:_MOST_CLASSES], tuple(rows[0]), width=width)
    n_more = len(rows) - _MOST_CLASSES
    return f"{text}\nand {n_more:,} more classes, none less accurate" if n_more > 0 else text
