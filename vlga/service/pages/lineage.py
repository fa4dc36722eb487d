"""The family of a network as a drawing: it at the right, its ancestors to the left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Family", "draw_family"]

#: More would be a thicket: as many whole generations as fit are drawn, the others counted.
_MOST = 48
_STEP, _ROW, _MARGIN, _ROOM = 110, 44, 24, 84


@dataclass(frozen=True, slots=True)
class _Mark:
    """A network in the drawing."""

    id: int
    x: int
    y: int
    text: str
    title: str
    kind: str


@dataclass(frozen=True, slots=True)
class Family:
    """What is drawn, in pixels.

    Attributes:
        width: of the drawing.
        height: of the drawing.
        marks: networks, the youngest first.
        lines: paths from parents to children.
        n_more: ancestors that are not drawn.
    """

    width: int
    height: int
    marks: Sequence[_Mark]
    lines: Sequence[str]
    n_more: int


def draw_family(rows: Sequence[Mapping[str, Any]]) -> Family:
    """Place a network and its ancestors, generation by generation from right to left.

    Args:
        rows: as `db.read.lineage.ancestors` gives them, the youngest first, with `changes` as text.
    """
    shown = _nearest(rows)
    columns: dict[int, list[Mapping[str, Any]]] = {}
    for one in shown:
        columns.setdefault(one["distance"], []).append(one)
    deepest, tallest = max(columns), max(len(some) for some in columns.values())
    marks = {}
    for distance, some in columns.items():
        top = (tallest - len(some)) * _ROW // 2
        for i, one in enumerate(some):
            x = _MARGIN + (deepest - distance) * _STEP
            marks[one["id"]] = _mark(one, x, _MARGIN + top + i * _ROW)
    lines = [
        _path(marks[parent], marks[one["id"]])
        for one in shown
        for parent in dict.fromkeys(one["parents"])
        if parent in marks
    ]
    return Family(
        2 * _MARGIN + deepest * _STEP + _ROOM,
        2 * _MARGIN + (tallest - 1) * _ROW,
        [*marks.values()],
        lines,
        len(rows) - len(shown),
    )


def _nearest(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Give whole generations as long as there is room; the network and its parents in any case."""
    deepest = max((one["distance"] for n, one in enumerate(rows, start=1) if n <= _MOST), default=0)
    if len(rows) > _MOST and rows[_MOST]["distance"] == deepest:
        deepest -= 1
    return [one for one in rows if one["distance"] <= max(1, deepest)]


def _mark(one: Mapping[str, Any], x: int, y: int) -> _Mark:
    failed = one["fitness"] is None
    score = (one["reason"] or "not trained yet") if failed else f"{one['fitness']:.4f}"
    made = str(one["operator"]).replace("_", " ").replace("+", ", ")
    title = f"#{one['id']}, {score}, by {made}" + (f": {one['changes']}" if one["changes"] else "")
    kind = "self" if one["distance"] == 0 else "failed" if failed else ""
    return _Mark(one["id"], x, y, f"#{one['id']}", title, kind)


def _path(parent: _Mark, child: _Mark) -> str:
    """Give a curve from a parent to its child."""
    start, end = parent.x + 7, child.x - 7
    if end <= start:  # of one generation's column
        aside = f"{parent.x - 40} {(parent.y + child.y) // 2}"
        return f"M{parent.x} {parent.y}Q{aside} {child.x} {child.y}"
    middle = (start + end) // 2
    return f"M{start} {parent.y}C{middle} {parent.y} {middle} {child.y} {end} {child.y}"
