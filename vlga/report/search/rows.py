"""The rows of a search's tables, as the terminal, the page and programs show them."""

from __future__ import annotations

from typing import Any

from vlga.genetics.changes import allele_text
from vlga.report.search.genes import GeneShift
from vlga.report.search.summary import Outcome, Round

__all__ = ["GENE", "NETWORK", "ROUND", "gene_row", "network_row", "round_row"]

ROUND = (
    "made", "networks", "failed", "best_so_far", "best", "median", "worst", "convolutions",
)  # fmt: skip
NETWORK = ("id", "fitness", "parameters", "macs", "depth", "made")
GENE = ("gene", "moved", "by_chance", "more_often", "less_often")


def network_row(one: Outcome, *, is_exact: bool = False) -> dict[str, Any]:
    """Give a network's row; an exact one has phase and generation apart, for programs."""
    return {
        "id": one.id,
        "fitness": one.fitness,
        "parameters": one.parameters,
        "macs": one.macs,
        "depth": one.depth,
        **(
            {"phase": one.phase, "generation": one.generation, "rung": one.rung}
            if is_exact
            else {"made": f"{one.phase}.{one.generation}"}
        ),
        "latency_ms": one.latency_ms,
    }


def gene_row(shift: GeneShift) -> dict[str, Any]:
    """Give a gene's row: how far its shares moved, and which alleles gained or lost most."""
    gains = sorted(shift.shares.items(), key=lambda item: item[1][0] - item[1][1])
    return {
        "gene": shift.gene,
        "moved": f"{shift.moved:.0%}",
        "by_chance": f"{shift.by_chance:.0%}",
        "more_often": _gain(*gains[0]),
        "less_often": _gain(*gains[-1]),
    }


def _gain(allele: Any, shares: tuple[float, float]) -> str:
    return f"{allele_text(allele)}: {shares[0]:.0%} → {shares[1]:.0%}"


def round_row(one: Round) -> dict[str, Any]:
    """Give a row of the columns `ROUND`, None for what there is not."""

    def score(value: float | None) -> str | None:
        return None if value is None else f"{value:.4f}"

    depth = one.depth and (
        f"{one.depth[0]}-{one.depth[2]}" if one.depth[0] < one.depth[2] else None
    )
    return {
        "made": one.label,
        "networks": one.networks,
        "failed": one.failed,
        "best_so_far": score(one.best_so_far),
        "best": score(one.best),
        "median": score(one.median),
        "worst": score(one.worst),
        "convolutions": depth or (str(one.depth[0]) if one.depth else None),
    }
