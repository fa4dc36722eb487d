"""What a search found, in figures: plain arithmetic from recorded outcomes to what is drawn.

`db.reports` gives the outcomes; `vlga report` prints what these functions make of them, and
search_plots.py draws it.
"""

from __future__ import annotations

import heapq
import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from vlga.comparison import best_so_far
from vlga.genome import NETWORK_GENES, Allele

__all__ = [
    "GeneShift",
    "Genes",
    "Outcome",
    "Round",
    "accuracy_steps",
    "drawn",
    "each_once",
    "failures_by_reason",
    "fittest",
    "gene_shifts",
    "heard_genes",
    "pareto_front",
    "rounds",
    "trained",
]

#: A candidate's genes by address.
Genes = Mapping[str, Allele]

#: Genes of a block that another one switches off.
_SWITCHED = {
    "include_pool": ("pool_type",),
    "include_b": ("channels_b", "kernel_b", "batch_norm_b"),
}
_SWITCHES = tuple(f".{name}" for name in _SWITCHED)
_OF_AMPLIFICATION = tuple(name for name in NETWORK_GENES if name.startswith("amplify_"))


@dataclass(frozen=True, slots=True)
class Outcome:
    """A candidate's training, or the outcome that it took over from an equal network.

    Attributes:
        id: the candidate's number.
        phase: that made it.
        generation: within its phase.
        operator: that made it.
        depth: number of convolutions.
        fingerprint: equal for equal networks.
        fitness: in [0, 1], or None if it failed.
        reason: why it failed, or None.
        on_budget: whether it was trained for; not if an equal candidate of the search was.
        epochs: asked for.
        parameters: of the network.
        macs: multiply-accumulates for one image.
    """

    id: int
    phase: int
    generation: int
    operator: str
    depth: int
    fingerprint: str
    fitness: float | None
    reason: str | None
    on_budget: bool
    epochs: int
    parameters: int
    macs: int


@dataclass(frozen=True, slots=True)
class Round:
    """The networks made in one generation, or in several that follow each other.

    Attributes:
        label: ``phase.generation`` of the first, and of the last if there are several.
        networks: how many have an outcome.
        failed: how many of them have no fitness.
        best_so_far: fitness of the fittest up to here, in [0, 1], or None; likewise the next three.
        best: of this round's.
        median: of this round's.
        worst: of this round's.
        fitness: of each, in the order of their numbers.
        depth: (fewest, median, most) convolutions of those with a fitness, or None.
        depth_of_best: the fittest's.
    """

    label: str
    networks: int
    failed: int
    best_so_far: float | None
    best: float | None
    median: float | None
    worst: float | None
    fitness: tuple[float, ...]
    depth: tuple[int, float, int] | None
    depth_of_best: int | None


@dataclass(frozen=True, slots=True)
class GeneShift:
    """How often the fittest have each allele of a gene, beside all that have the gene.

    Attributes:
        gene: its address.
        shares: allele to (share of all, share of the fittest), each in [0, 1], in order.
        moved: half the sum of the shares' differences, in [0, 1]: the part of the fittest that
            would have to have another allele to be as all are.
        by_chance: what `moved` is on average if fitness has nothing to do with the gene.
    """

    gene: str
    shares: Mapping[Allele, tuple[float, float]]
    moved: float
    by_chance: float


def each_once(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Give each candidate's best outcome, by number."""
    best: dict[int, Outcome] = {}
    for one in outcomes:
        if one.id not in best or _rank(one) > _rank(best[one.id]):
            best[one.id] = one
    return [best[number] for number in sorted(best)]


def accuracy_steps(outcomes: Iterable[Outcome]) -> list[tuple[int, float]]:
    """Give the best fitness so far against the epochs trained, as `comparison.best_so_far`.

    Args:
        outcomes: in the order in which they were recorded.
    """
    return best_so_far([(one.epochs, one.fitness) for one in outcomes if one.on_budget])


def rounds(members: Sequence[Outcome], most: int) -> list[Round]:
    """Put candidates together by the generation that made them.

    Args:
        members: each candidate once, by number.
        most: rounds to give at most, at least 1; neighbouring generations are joined to as many.
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


def failures_by_reason(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Count the trainings that failed, the most frequent reason first."""
    reasons = Counter(one.reason for one in outcomes if one.reason and one.on_budget)
    return dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))


def fittest(members: Iterable[Outcome], n: int) -> list[Outcome]:
    """Give the fittest candidates, of equals the one made first, each network once."""
    # A heap: of a million all would be sorted for the sake of ten.
    heap = [(-one.fitness, one.id, one) for one in members if one.fitness is not None]
    heapq.heapify(heap)
    chosen: dict[str, Outcome] = {}
    while heap and len(chosen) < n:
        one = heapq.heappop(heap)[-1]
        chosen.setdefault(one.fingerprint, one)
    return list(chosen.values())


def trained(members: Iterable[Outcome]) -> list[Outcome]:
    """Leave out what failed and what was taken over."""
    return [one for one in members if one.fitness is not None and one.on_budget]


def drawn(networks: Sequence[Outcome], most: int) -> Sequence[Outcome]:
    """Draw so many of these at most, by dice that fall alike every time."""
    return networks if len(networks) <= most else Random(0).sample(networks, most)


def gene_shifts(networks: Sequence[Outcome], genes: Mapping[int, Genes]) -> list[GeneShift]:
    """Compare the genes of the fittest quarter with those of all, the most telling first.

    Silent genes are left out of both, gene by gene: they say nothing. So is a gene whose shares
    moved less than twice as far as they do by chance.

    Args:
        networks: with a fitness.
        genes: of each, by its number.
    """
    ranked = sorted(networks, key=_rank, reverse=True)
    heard = [[*heard_genes(genes[one.id]).items()] for one in ranked]
    of_all = _allele_counts(heard)
    of_best = _allele_counts(heard[: math.ceil(len(heard) / 4)])
    shifts = [
        _shift(gene, counts, of_best[gene]) for gene, counts in of_all.items() if gene in of_best
    ]
    telling = [one for one in shifts if one.moved > 2 * one.by_chance]
    return sorted(telling, key=lambda one: one.by_chance - one.moved)


def heard_genes(genes: Genes) -> dict[str, Allele]:
    """Leave out the genes that another one silences by its allele."""
    heard = dict(genes)
    for address, allele in genes.items():
        if allele is False and address.endswith(_SWITCHES):
            block, _, name = address.rpartition(".")
            for silent in _SWITCHED[name]:
                heard.pop(f"{block}.{silent}", None)
    for silent in _silent_amplification(genes):
        heard.pop(silent, None)
    return heard


def pareto_front(members: Iterable[Outcome]) -> list[Outcome]:
    """Give the networks to which none is at once smaller or equal and fitter, the smallest first.

    Of networks equal in both, the one made first.
    """
    best: dict[int, Outcome] = {}
    for one in members:
        if one.fitness is not None:
            known = best.get(one.parameters)
            if known is None or _rank(one) > _rank(known):
                best[one.parameters] = one
    front: list[Outcome] = []
    for size in sorted(best):
        if not front or _rank(best[size])[0] > _rank(front[-1])[0]:
            front.append(best[size])
    return front


def _rank(one: Outcome) -> tuple[float, int]:
    """Order by fitness, a failure last, of equals the one made first as the greatest."""
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
        depth=(min(depths), statistics.median(depths), max(depths)) if depths else None,
        depth_of_best=max(completed, key=_rank).depth if completed else None,
    )


def _allele_counts(heard: Sequence[Sequence[tuple[str, Allele]]]) -> dict[str, Counter[Allele]]:
    counts: dict[str, Counter[Allele]] = {}
    pairs = Counter(pair for genes in heard for pair in genes)
    for (gene, allele), number in pairs.items():
        counts.setdefault(gene, Counter())[allele] = number
    return counts


def _shift(gene: str, of_all: Counter[Allele], of_best: Counter[Allele]) -> GeneShift:
    n_all, n_best = of_all.total(), of_best.total()
    shares = {
        allele: (of_all[allele] / n_all, of_best[allele] / n_best)
        for allele in sorted(of_all, key=_order)
    }
    moved = sum(abs(after - before) for before, after in shares.values()) / 2
    # A share's standard deviation if the fittest were drawn from all without looking; the mean
    # distance of a normal variable from its mean is sqrt(2 / pi) of that.
    left = (n_all - n_best) / max(1, n_all - 1)
    deviations = (math.sqrt(p * (1 - p) / n_best * left) for p, _ in shares.values())
    return GeneShift(gene, shares, moved, math.sqrt(2 / math.pi) * sum(deviations) / 2)


def _order(allele: Allele) -> tuple[str, Allele]:
    """Order numbers as numbers and words as words."""
    return ("number" if isinstance(allele, (int, float)) else type(allele).__name__, allele)


def _silent_amplification(genes: Genes) -> Sequence[str]:
    mode = genes.get("amplify")
    if mode == "off":
        return _OF_AMPLIFICATION
    if genes.get("amplify_factor") == 1:
        return ("amplify", *(name for name in _OF_AMPLIFICATION if name != "amplify_factor"))
    return ("amplify_ratio",) if mode == "intelligent" else ("amplify_measure", "amplify_threshold")
