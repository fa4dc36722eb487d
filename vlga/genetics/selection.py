"""Selection: which individuals survive, and which become parents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Protocol, TypeVar

from deap import base, tools

__all__ = ["Ranked", "choose_parents", "survivors", "tournament"]


class Ranked(Protocol):
    """What selection needs to know of an individual: its number, accuracy and DEAP fitness."""

    @property
    def id(self) -> int:
        """Number in the order of making."""

    @property
    def accuracy(self) -> float:
        """Higher is better."""

    @property
    def fitness(self) -> base.Fitness:
        """The same, as DEAP compares it."""


Member = TypeVar("Member", bound=Ranked)


def survivors(
    population: Sequence[Member], fraction: float, less_fit_probability: float, rng: Random
) -> tuple[tuple[Member, ...], tuple[Member, ...]]:
    """Choose who survives: the fittest for certain, each of the others with a probability.

    The order of `population` does not matter; of equally fit individuals the one made first counts
    as fitter.

    Args:
        population: at least one.
        fraction: share of the fittest that survive, in (0, 1]; at least one individual does.
        less_fit_probability: for each of the others, in [0, 1].
        rng: the source of randomness.

    Returns:
        The fittest, best first, and the others that survive, best first.
    """
    ranked = tools.selBest(sorted(population, key=lambda one: one.id), len(population))
    n_elite = max(1, round(fraction * len(ranked)))
    lucky = tuple(one for one in ranked[n_elite:] if rng.random() < less_fit_probability)
    return tuple(ranked[:n_elite]), lucky


def choose_parents(n_individuals: int, rng: Random) -> tuple[int, int]:
    """Choose two parents uniformly, different ones if there are two; gives their indices."""
    if n_individuals == 1:
        return 0, 0
    first, second = rng.sample(range(n_individuals), 2)
    return first, second


def tournament(
    population: Sequence[Member],
    n_drawn: int,
    rng: Random,
    value: Callable[[Member], Any] = lambda one: one.accuracy,
) -> Member:
    """Give the fittest of some individuals, each drawn uniformly from all.

    As DEAP's `selTournament`, with an `rng` as argument. The order of `population` does not matter;
    of equally fit individuals the one made first counts as fitter.

    Args:
        population: at least one.
        n_drawn: individuals drawn, at least 1; the same one may be drawn again.
        rng: the source of randomness.
        value: what makes an individual fit, if not its accuracy: anything that has an order.
    """
    ordered = sorted(population, key=lambda one: one.id)
    drawn = [rng.choice(ordered) for _ in range(n_drawn)]
    return max(drawn, key=lambda one: (value(one), -one.id))
