"""The trained networks of a search as its report counts them: of a large search, a part of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from db.read.pages import candidates_page
from db.read.reports import search_genomes
from vlga.report.search.genes import GeneShift, gene_shifts, heard_genes
from vlga.report.search.summary import Outcome, trained, trained_longest

__all__ = ["Compared", "compared_genes", "fittest", "newest"]

#: Of a larger search the newest networks count, or the fittest; of fewer the genes are read.
_MOST_NETWORKS, _MOST_GENOMES, _AT_ONCE = 2000, 500, 1000


@dataclass(frozen=True, slots=True)
class Compared:
    """The genes of the fittest quarter of some networks, against those of all.

    Attributes:
        n_networks: that were compared.
        shifts: genes that differ by more than chance explains, the largest difference first.
    """

    n_networks: int
    shifts: list[GeneShift]


def newest(engine: Engine, name: str) -> list[Outcome]:
    """Give the newest networks with an outcome, at most 2,000, by number.

    Raises:
        SearchNotFound: no search of that name.
    """
    return sorted(_outcomes(engine, name, "-id"), key=lambda one: one.id)


def fittest(engine: Engine, name: str) -> list[Outcome]:
    """Give the fittest networks, at most 2,000, the fittest first.

    Raises:
        SearchNotFound: no search of that name.
    """
    return [*_outcomes(engine, name, "-fitness")]


def compared_genes(engine: Engine, shown: Mapping[str, Any]) -> Compared:
    """Compare the genes of the newest networks that were trained longest, at most 500.

    Args:
        engine: open.
        shown: as `db.read.searches.show_search` gives a search.
    """
    members = trained_longest(trained(newest(engine, shown["name"])))[-_MOST_GENOMES:]
    genomes = search_genomes(engine, shown["name"], [one.id for one in members])
    _, height, width = shown["input_shape"]
    genes = {number: heard_genes(one, (height, width)) for number, one in genomes.items()}
    some = [one for one in members if one.id in genes]
    return Compared(len(some), gene_shifts(some, genes))


def _outcomes(engine: Engine, name: str, order: str) -> Iterator[Outcome]:
    cursor = None
    for _ in range(_MOST_NETWORKS // _AT_ONCE):
        page = candidates_page(engine, name, order=order, limit=_AT_ONCE, cursor=cursor)
        for row in page.items:
            if row["epochs"] is not None:
                yield _outcome(row)
        cursor = page.next
        if cursor is None:
            return


def _outcome(row: Mapping[str, Any]) -> Outcome:
    return Outcome(
        **{
            key: row[key]
            for key in (
                "id", "phase", "generation", "rung", "depth", "fingerprint", "fitness", "reason",
                "epochs", "parameters", "macs", "latency_seconds",
            )
        },
        operator="",
        on_budget=not row["reused"],
    )  # fmt: skip
