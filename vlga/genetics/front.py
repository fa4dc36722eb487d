"""Several objectives at once: the Pareto front, and the order in which NSGA-II selects.

Deb, Pratap, Agarwal, Meyarivan: "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II"
(2002). Fronts and crowding distances are DEAP's.

An individual's values are one number for each objective, all of which are the better the higher.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import ge
from typing import TypeVar

from deap import base, tools

__all__ = ["pareto_front", "selection_ranks"]

Member = TypeVar("Member")


def pareto_front(
    members: Iterable[Member], values: Callable[[Member], tuple[float, ...]]
) -> list[Member]:
    """Give those that no other equals or exceeds in every objective, by the first, best first.

    Of those with equal values it has the first.

    Args:
        members: any number, in any order but for equals.
        values: of a member.
    """
    front: list[tuple[tuple[float, ...], Member]] = []
    ranked = sorted(((values(one), one) for one in members), key=lambda pair: pair[0], reverse=True)
    for own, member in ranked:
        # Only one before it can exceed it, the newest of the front most likely.
        if not any(all(map(ge, other, own)) for other, _ in reversed(front)):
            front.append((own, member))
    return [member for _, member in front]


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
