"""The drawing of a network's family."""

from __future__ import annotations

from typing import Any

from vlga.service.pages.lineage import draw_family


def one(number: int, distance: int, *parents: int, fitness: float | None = 0.5) -> dict[str, Any]:
    return {
        "id": number,
        "distance": distance,
        "parents": list(parents),
        "fitness": fitness,
        "reason": None,
        "operator": "uniform_crossover+mutation",
        "changes": "kernel 3 to 5",
    }


def test_generations_stand_beside_each_other():
    """The network at the right, parents to its left, and a line from each parent."""
    family = draw_family([one(9, 0, 4, 5), one(4, 1, 1), one(5, 1, 1), one(1, 2, fitness=None)])
    places = {mark.id: (mark.x, mark.y) for mark in family.marks}
    assert places[9][0] > places[4][0] == places[5][0] > places[1][0]
    assert len(family.lines) == 4
    assert {mark.id: mark.kind for mark in family.marks} == {9: "self", 4: "", 5: "", 1: "failed"}
    assert all(x < family.width and y < family.height for x, y in places.values())
    assert family.marks[0].title == "#9, 0.5000, by uniform crossover, mutation: kernel 3 to 5"


def test_a_large_family_is_cut_at_a_generation():
    """What is not drawn is counted; the parents are always there."""
    rows = [one(1000, 0, *range(100))] + [one(i, 1, 100 + i) for i in range(100)]
    rows += [one(100 + i, 2) for i in range(100)]
    family = draw_family(rows)
    assert len(family.marks) == 101
    assert family.n_more == 100
