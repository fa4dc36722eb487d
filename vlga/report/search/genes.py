"""Which alleles the fittest networks of a search have more often than all of its networks.

`vlga report` prints the result (text.py), and figures.py draws it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vlga.genetics.genome import Genome
from vlga.genetics.rules import Allele
from vlga.report.search.summary import Outcome

__all__ = ["GeneShift", "Genes", "gene_shifts", "heard_genes"]

#: A candidate's genes by address.
Genes = Mapping[str, Allele]


@dataclass(frozen=True, slots=True)
class GeneShift:
    """How often the fittest networks have each allele of a gene, compared with all networks.

    Attributes:
        gene: its address.
        shares: allele to (share of all, share of the fittest), each in [0, 1], in order.
        moved: half the sum of the shares' differences, in [0, 1]: the share of the fittest that
            would need another allele for the two distributions to be equal.
        by_chance: what `moved` is on average if the gene has no influence on fitness.
    """

    gene: str
    shares: Mapping[Allele, tuple[float, float]]
    moved: float
    by_chance: float


def gene_shifts(networks: Sequence[Outcome], genes: Mapping[int, Genes]) -> list[GeneShift]:
    """Compare the genes of the fittest quarter with those of all, the largest difference first.

    A gene is left out if its shares moved less than twice as far as they would by chance.

    Args:
        networks: with a fitness.
        genes: of each network those that are not silent, by its number.
    """
    ranked = sorted(networks, key=lambda one: (one.fitness or 0.0, -one.id), reverse=True)
    heard = [[*genes[one.id].items()] for one in ranked]
    of_all = _allele_counts(heard)
    of_best = _allele_counts(heard[: math.ceil(len(heard) / 4)])
    shifts = [
        _shift(gene, counts, of_best[gene]) for gene, counts in of_all.items() if gene in of_best
    ]
    telling = [one for one in shifts if one.moved > 2 * one.by_chance]
    return sorted(telling, key=lambda one: one.by_chance - one.moved)


def heard_genes(genome: Genome, image_size: tuple[int, int]) -> dict[str, Allele]:
    """Give a genome's genes but for those that are silent on images of (height, width)."""
    silent = genome.silent_genes(image_size)
    return {gene: allele for gene, allele in genome.genes().items() if gene not in silent}


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
    # A share's standard deviation if the fittest were drawn from all at random; the mean distance
    # of a normal variable from its mean is sqrt(2 / pi) times that.
    left = (n_all - n_best) / max(1, n_all - 1)
    deviations = (math.sqrt(p * (1 - p) / n_best * left) for p, _ in shares.values())
    return GeneShift(gene, shares, moved, math.sqrt(2 / math.pi) * sum(deviations) / 2)


def _order(allele: Allele) -> tuple[str, Allele]:
    """Order numbers as numbers and words as words."""
    return ("number" if isinstance(allele, (int, float)) else type(allele).__name__, allele)
