"""What a search found, in numbers: plain arithmetic on recorded outcomes.

`db.read.reports` gives the outcomes; text.py prints the numbers, and figures.py draws them.
"""

from __future__ import annotations

import heapq
import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from vlga.config.objectives import COLUMNS
from vlga.genetics import front
from vlga.report.best_so_far import best_so_far

__all__ = [
    "Outcome",
    "Round",
    "accuracy_steps",
    "drawn",
    "each_once",
    "failures_by_reason",
    "fittest",
    "leaders",
    "pareto_front",
    "rounds",
    "rungs",
    "trained",
    "trained_longest",
]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A candidate's training, or the outcome of an equal network that it reused.

    Attributes:
        id: the candidate's number.
        phase: in which it was made.
        generation: in which it was made, within the phase.
        rung: of its training, where trainings have several lengths; else 0.
        operator: that made it.
        depth: number of convolutions.
        fingerprint: equal for equal networks.
        fitness: in [0, 1], or None if it failed.
        reason: why it failed, or None.
        on_budget: whether it counted towards the budget; False if an equal candidate of the same
            search had been trained.
        epochs: of its training, as asked for.
        parameters: of the network.
        macs: multiply-accumulates for one image.
        latency_seconds: of one image, or None if it was not measured.
    """

    id: int
    phase: int
    generation: int
    rung: int
    operator: str
    depth: int
    fingerprint: str
    fitness: float | None
    reason: str | None
    on_budget: bool
    epochs: int
    parameters: int
    macs: int
    latency_seconds: float | None = None

    @property
    def latency_ms(self) -> float | None:
        """The latency in milliseconds."""
        return None if self.latency_seconds is None else 1000 * self.latency_seconds


@dataclass(frozen=True, slots=True)
class Round:
    """The networks made in one generation, or in several consecutive ones.

    Attributes:
        label: ``phase.generation`` of the first, and of the last if there are several.
        networks: how many have an outcome.
        failed: how many of them have no fitness.
        best_so_far: best fitness in the search up to here, in [0, 1], or None.
        best: best fitness in this round, or None.
        median: median fitness in this round, or None.
        worst: worst fitness in this round, or None.
        fitness: of each network that has one, in the order of their numbers.
        ids: the numbers of these networks.
        depth: (fewest, median, most) convolutions of those with a fitness, or None.
        depth_of_best: convolutions of the fittest in this round, or None.
    """

    label: str
    networks: int
    failed: int
    best_so_far: float | None
    best: float | None
    median: float | None
    worst: float | None
    fitness: tuple[float, ...]
    ids: tuple[int, ...]
    depth: tuple[int, float, int] | None
    depth_of_best: int | None


@dataclass(frozen=True, slots=True)
class Rung:
    """The trainings of one length, where there are several.

    Attributes:
        rung: from 0.
        epochs: of each of its trainings; what a network was trained before is not counted.
        networks: how many have an outcome.
        failed: how many of them have no fitness.
        best: best fitness, in [0, 1], or None.
        median: median fitness, or None.
    """

    rung: int
    epochs: int
    networks: int
    failed: int
    best: float | None
    median: float | None


def each_once(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Give each candidate's best outcome, by number."""
    best: dict[int, Outcome] = {}
    for one in outcomes:
        if one.id not in best or _rank(one) > _rank(best[one.id]):
            best[one.id] = one
    return [best[number] for number in sorted(best)]


def accuracy_steps(outcomes: Iterable[Outcome]) -> list[tuple[int, float]]:
    """Give the best fitness so far against the epochs trained, as `best_so_far` does.

    Args:
        outcomes: in the order in which they were recorded.
    """
    return best_so_far([(one.epochs, one.fitness) for one in outcomes if one.on_budget])


def leaders(outcomes: Sequence[Outcome]) -> list[int]:
    """Give the number of the candidate whose fitness is the best at each of `accuracy_steps`."""
    first: dict[float | None, int] = {}
    for one in outcomes:
        if one.on_budget:
            first.setdefault(one.fitness, one.id)
    return [first[fitness] for _, fitness in accuracy_steps(outcomes)]


def rounds(members: Sequence[Outcome], most: int) -> list[Round]:
    """Group candidates by the generation in which they were made.

    Args:
        members: each candidate once, by number.
        most: maximum number of rounds, at least 1; with more generations than this, consecutive
            ones are joined.
    """
    generations: dict[tuple[int, int], list[Outcome]] = {}
    for one in members:
        generations.setdefault((one.phase, one.generation), []).append(one)
    keys = sorted(generations)
    width = max(1, math.ceil(len(keys) / most))
    found: list[Round] = []
    so_far: float | None = None
    for start in range(0, len(keys), width):
        chunk = keys[start : start + width]
        label = _label(chunk[0]) + (f" to {_label(chunk[-1])}" if len(chunk) > 1 else "")
        found.append(_round(label, [one for key in chunk for one in generations[key]], so_far))
        so_far = found[-1].best_so_far
    return found


def rungs(members: Iterable[Outcome]) -> list[Rung]:
    """Group candidates by the rung of their training, from the lowest; one group without rungs."""
    groups: dict[int, list[Outcome]] = {}
    for one in members:
        groups.setdefault(one.rung, []).append(one)
    found = []
    for number, group in sorted(groups.items()):
        fitness = [one.fitness for one in group if one.fitness is not None]
        found.append(
            Rung(
                rung=number,
                epochs=max(one.epochs for one in group),
                networks=len(group),
                failed=len(group) - len(fitness),
                best=max(fitness, default=None),
                median=statistics.median(fitness) if fitness else None,
            )
        )
    return found


def trained_longest(members: Sequence[Outcome]) -> list[Outcome]:
    """Leave out whose network has completed a longer training, on a higher rung."""
    highest: dict[str, int] = {}
    for one in members:
        if one.fitness is not None:
            highest[one.fingerprint] = max(one.rung, highest.get(one.fingerprint, 0))
    return [one for one in members if one.rung >= highest.get(one.fingerprint, 0)]


def failures_by_reason(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Count the trainings that failed, the most frequent reason first."""
    reasons = Counter(one.reason for one in outcomes if one.reason and one.on_budget)
    return dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))


def fittest(members: Iterable[Outcome], n: int) -> list[Outcome]:
    """Give the n fittest candidates, each network once; of equally fit ones, the first made."""
    # A heap, since sorting a million candidates to get ten would take long.
    heap = [(-one.fitness, one.id, one) for one in members if one.fitness is not None]
    heapq.heapify(heap)
    chosen: dict[str, Outcome] = {}
    while heap and len(chosen) < n:
        one = heapq.heappop(heap)[-1]
        chosen.setdefault(one.fingerprint, one)
    return list(chosen.values())


def trained(members: Iterable[Outcome]) -> list[Outcome]:
    """Leave out candidates that failed, and those whose equal in the search was trained."""
    return [one for one in members if one.fitness is not None and one.on_budget]


def drawn(networks: Sequence[T], most: int) -> Sequence[T]:
    """Draw at most so many of these at random, the same ones every time."""
    return networks if len(networks) <= most else Random(0).sample(networks, most)


def pareto_front(members: Iterable[Outcome], objectives: Sequence[str]) -> list[Outcome]:
    """Give the Pareto front, the least fit network first: with two objectives, the cheapest.

    No other network is at least as good in every objective. Of networks that are equal in all, it
    has the one made first. One whose costs are not all known is left out.

    Args:
        members: each candidate once, by number.
        objectives: fitness, then costs (`vlga.config.objectives`).
    """
    _, *costs = (COLUMNS[name] for name in objectives)

    def values(one: Outcome) -> tuple[float, ...]:
        return (one.fitness or 0.0, *(-getattr(one, cost) for cost in costs))

    completed = (one for one in members if one.fitness is not None)
    known = (one for one in completed if all(getattr(one, cost) is not None for cost in costs))
    return front.pareto_front(known, values)[::-1]


def _rank(one: Outcome) -> tuple[float, int]:
    """Give the key to compare by: fitness, with failures lowest; then, the earlier the higher."""
    return (-1.0 if one.fitness is None else one.fitness, -one.id)


def _label(key: tuple[int, int]) -> str:
    return f"{key[0]}.{key[1]}"


def _round(label: str, members: Sequence[Outcome], best_before: float | None) -> Round:
    completed = [one for one in members if one.fitness is not None]
    fitness = tuple(one.fitness for one in completed if one.fitness is not None)
    depths = [one.depth for one in completed]
    known = [value for value in (best_before, *fitness) if value is not None]
    return Round(
        label=label,
        networks=len(members),
        failed=len(members) - len(completed),
        best_so_far=max(known, default=None),
        best=max(fitness, default=None),
        median=statistics.median(fitness) if fitness else None,
        worst=min(fitness, default=None),
        fitness=fitness,
        ids=tuple(one.id for one in completed),
        depth=(min(depths), statistics.median(depths), max(depths)) if depths else None,
        depth_of_best=max(completed, key=_rank).depth if completed else None,
    )
