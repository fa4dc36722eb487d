"""Several objectives at once: the order in which NSGA-II selects.

Deb, Pratap, Agarwal, Meyarivan: "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II"
(2002). Fronts and crowding distances are DEAP's.

Values are as in `vlga.genetics.front`, which needs no DEAP.
"""

from __future__ import annotations

from collections.abc import Sequence

from deap import base, tools

__all__ = ["selection_ranks"]


def selection_ranks(values: Sequence[tuple[float, ...]]) -> list[tuple[int, float]]:
    """Give each individual's rank as NSGA-II compares them, the better the higher.

    First counts how many fronts must be taken away until nobody exceeds it; then how far its
    neighbours on its own front are: the ends of a front have infinite distance.

    Args:
        values: of each individual, at least two, all finite.

    Returns:
        (minus the number of its front, crowding distance) of each.
    """
    placed = [_Placed(place, own) for place, own in enumerate(values)]
    ranks = [(0, 0.0)] * len(placed)
    for number, front in enumerate(tools.sortLogNondominated(placed, len(placed))):
        tools.emo.assignCrowdingDist(front)
        for one in front:
            ranks[one.place] = (-number, one.fitness.crowding_dist)
    return ranks


class _Fitness(base.Fitness):  # type: ignore[misc]  # DEAP has no types
    """DEAP's fitness, with as many objectives to maximise as there are values."""

    def __init__(self, values: tuple[float, ...]) -> None:
        self.weights = (1.0,) * len(values)
        super().__init__(values)


class _Placed:
    """An individual as DEAP sorts it: its place in the population and its fitness."""

    def __init__(self, place: int, values: tuple[float, ...]) -> None:
        self.place = place
        self.fitness = _Fitness(values)
