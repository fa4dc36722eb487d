"""Several objectives at once: the Pareto front.

An individual's values are one number for each objective, all of which are the better the higher.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import ge
from typing import TypeVar

__all__ = ["pareto_front"]

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
