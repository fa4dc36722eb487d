"""Which of a search's best networks is its winner, and which come after it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vlga.ports.candidate import Individual, best_of

__all__ = ["choose_winner", "rank_networks"]


def choose_winner(
    finalists: Sequence[Individual], n_validation: int, costs: Sequence[str] = ()
) -> Individual:
    """Give the network that computes most, of those that validation cannot tell from the fittest.

    Where a search weighs costs too, it is the one that costs least: its user said what for.

    Those are within one standard error of its accuracy, or of an accuracy as high where the fitness
    is another: its own is not known, and mostly larger (Breiman et al.: "Classification and
    Regression Trees", 1984, whose rule prefers the simplest). On few validation images the fittest
    is mostly the luckiest, and small networks look better in short trainings than they are: of ten
    networks for 3,000 images of Fashion-MNIST, 600 of them to validate on, test accuracy after 40
    epochs went with multiply-accumulates (rank correlation 0.80), and hardly with validation
    accuracy after 9 epochs (-0.22) or 18 (0.33). That there is time to train the larger ones is for
    the limits to see to.

    Args:
        finalists: at least one, trained for as long as each other.
        n_validation: images that gave their fitness, at least 1.
        costs: objectives of the search beside the fitness, the one that counts first in front.
    """
    best = best_of(finalists)
    assert best is not None
    error = math.sqrt(best.accuracy * (1 - best.accuracy) / n_validation)
    equal = [one for one in finalists if one.accuracy >= best.accuracy - error]
    if costs:
        return min(
            equal, key=lambda one: (*[one.cost(cost) for cost in costs], -one.accuracy, one.id)
        )
    return max(equal, key=lambda one: (one.evaluation.n_macs, one.accuracy, -one.id))


def rank_networks(
    finalists: Sequence[Individual],
    contenders: Sequence[Individual],
    n_validation: int,
    n: int,
    costs: Sequence[str] = (),
) -> list[Individual]:
    """Give up to `n` different networks: the winner, who would win without it, and so on.

    Args:
        finalists: as `choose_winner` takes them.
        contenders: who follows where they are too few, the most valuable first.
        n_validation: as `choose_winner` takes it.
        n: at least 1.
        costs: as `choose_winner` takes them.
    """
    rest, ranked = [*finalists], dict[str, Individual]()
    while rest and len(ranked) < n:
        winner = choose_winner(rest, n_validation, costs)
        ranked[winner.candidate.fingerprint] = winner
        rest = [one for one in rest if one.candidate.fingerprint not in ranked]
    for one in contenders:
        if len(ranked) < n:
            ranked.setdefault(one.candidate.fingerprint, one)
    return [*ranked.values()]
