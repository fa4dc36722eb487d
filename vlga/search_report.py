"""What a search found, in figures: plain arithmetic from recorded outcomes to what is drawn.

`db.reports` gives the outcomes; `vlga report` prints what these functions make of them, and
search_plots.py draws it.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vlga.comparison import best_so_far
from vlga.genome import Allele

__all__ = [
    "GeneShift",
    "Outcome",
    "Round",
    "accuracy_steps",
    "each_once",
    "failures_by_reason",
    "fittest",
    "fittest_quarter",
    "gene_shifts",
    "heard_genes",
    "pareto_front",
    "rounds",
]

#: Genes of a block's second convolution, silent without it.
_OF_B = ("channels_b", "kernel_b", "batch_norm_b")


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
        genes: by address.
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
    genes: Mapping[str, Allele]


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
    chosen: dict[str, Outcome] = {}
    for one in sorted(members, key=_rank, reverse=True):
        if one.fitness is not None and len(chosen) < n:
            chosen.setdefault(one.fingerprint, one)
    return list(chosen.values())


def fittest_quarter(members: Iterable[Outcome]) -> tuple[list[Outcome], list[Outcome]]:
    """Give the trained networks with a fitness, and the fittest quarter of them, rounded up."""
    trained = [one for one in members if one.fitness is not None and one.on_budget]
    ranked = sorted(trained, key=_rank, reverse=True)
    return trained, ranked[: math.ceil(len(ranked) / 4)]


def gene_shifts(members: Iterable[Outcome]) -> list[GeneShift]:
    """Compare the genes of the fittest quarter with those of all, the most telling first.

    Silent genes are left out of both, gene by gene: they say nothing. So is a gene whose shares
    moved less than twice as far as they do by chance.
    """
    everyone, best = fittest_quarter(members)
    of_all = _allele_counts(everyone)
    of_best = _allele_counts(best)
    shifts = [
        _shift(gene, counts, of_best[gene]) for gene, counts in of_all.items() if gene in of_best
    ]
    telling = [one for one in shifts if one.moved > 2 * one.by_chance]
    return sorted(telling, key=lambda one: one.by_chance - one.moved)


def heard_genes(genes: Mapping[str, Allele]) -> dict[str, Allele]:
    """Leave out the genes that another one silences by its allele."""
    return {address: allele for address, allele in genes.items() if not _is_silent(address, genes)}


def pareto_front(members: Iterable[Outcome]) -> list[Outcome]:
    """Give the networks to which none is at once smaller or equal and fitter, the smallest first.

    Of networks equal in both, the one made first.
    """
    completed = [one for one in members if one.fitness is not None]
    front: list[Outcome] = []
    for one in sorted(completed, key=lambda one: (one.parameters, *(-x for x in _rank(one)))):
        if not front or _rank(one)[0] > _rank(front[-1])[0]:
            front.append(one)
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


def _allele_counts(members: Iterable[Outcome]) -> dict[str, Counter[Allele]]:
    counts: dict[str, Counter[Allele]] = {}
    for one in members:
        for gene, allele in heard_genes(one.genes).items():
            counts.setdefault(gene, Counter())[allele] += 1
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


def _is_silent(address: str, genes: Mapping[str, Allele]) -> bool:
    block, _, name = address.rpartition(".")
    if name == "pool_type":
        return not genes[f"{block}.include_pool"]
    if name in _OF_B:
        return not genes[f"{block}.include_b"]
    if name.startswith("amplify_"):
        mode = genes["amplify"]
        if mode == "off" or (genes["amplify_factor"] == 1 and name != "amplify_factor"):
            return True
        if name == "amplify_ratio":
            return mode != "random"
        return name in ("amplify_measure", "amplify_threshold") and mode != "intelligent"
    return name == "amplify" and genes["amplify_factor"] == 1
