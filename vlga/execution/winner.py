"""Which of a search's best networks is its winner, and which come after it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vlga.config.settings import SearchConfig
from vlga.networks.phenotype import decode
from vlga.ports.candidate import Individual, best_of
from vlga.ports.data import DataSummary

__all__ = ["choose_winner", "known_network", "rank_networks"]


#: Standard errors of the difference by which the fittest must be ahead of a network that is known
#: to be good. The luckiest of several equal ones is ahead by one or two.
_AHEAD = 2.0


def known_network(config: SearchConfig, data: DataSummary) -> str | None:
    """Give the fingerprint of the network that is known to be good: the first given one, if any."""
    shape, n_classes = data.input_shape, len(data.classes)
    known = [decode(one, shape, n_classes).fingerprint for one in config.founders()[:1]]
    return known[0] if known else None


def choose_winner(
    finalists: Sequence[Individual],
    n_validation: int,
    costs: Sequence[str] = (),
    known: str | None = None,
) -> Individual:
    """Give the network that is likely to be the best once it is trained longer.

    The one that is known to be good, the search's best guess before it began, if the fittest is not
    clearly ahead of it: a few hundred validation images find luck among equals before they find a
    better network (tests/benchmarks/results/known.txt).

    Else the one that computes most, of those that validation cannot tell from the fittest. Where a
    search weighs costs too, it is the one of those that costs least: its user said what for.

    They are within one standard error of its accuracy, or of an accuracy as high where the fitness
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
        known: fingerprint of the network that is known to be good, if any is.
    """
    best = best_of(finalists)
    assert best is not None
    for one in finalists:
        if one.candidate.fingerprint == known and not costs and _equals(best, one, n_validation):
            return one
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
    *,
    costs: Sequence[str] = (),
    known: str | None = None,
) -> list[Individual]:
    """Give up to `n` different networks: the winner, who would win without it, and so on.

    Args:
        finalists: as `choose_winner` takes them.
        contenders: who follows where they are too few, the most valuable first.
        n_validation: as `choose_winner` takes it.
        n: at least 1.
        costs: as `choose_winner` takes them.
        known: as `choose_winner` takes it.
    """
    rest, ranked = [*finalists], dict[str, Individual]()
    while rest and len(ranked) < n:
        winner = choose_winner(rest, n_validation, costs, known)
        ranked[winner.candidate.fingerprint] = winner
        rest = [one for one in rest if one.candidate.fingerprint not in ranked]
    for one in contenders:
        if len(ranked) < n:
            ranked.setdefault(one.candidate.fingerprint, one)
    return [*ranked.values()]


def _equals(best: Individual, known: Individual, n_validation: int) -> bool:
    """Tell whether the fittest is not clearly ahead, by accuracies as high as theirs."""
    variances = (one.accuracy * (1 - one.accuracy) / n_validation for one in (best, known))
    return best.accuracy - known.accuracy <= _AHEAD * math.sqrt(sum(variances))
