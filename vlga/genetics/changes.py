"""How a child differs from its parent, in values and in words."""

from __future__ import annotations

from typing import Any

from vlga.genetics.genes import BLOCK_GENES, NETWORK_GENES, BlockGenes
from vlga.genetics.genome import Genome
from vlga.genetics.rules import Allele

__all__ = ["allele_text", "changed_genes", "changes_text"]


def changed_genes(child: Genome, parent: Genome) -> dict[str, tuple[Allele | None, Allele | None]]:
    """Give the genes in which a child differs from its parent: address to (before, after).

    None stands for a gene of a block that one of them does not have.
    """
    changed: dict[str, tuple[Allele | None, Allele | None]] = {**child.changes_from(parent)}
    own = child.genes()
    gone = {key: (allele, None) for key, allele in parent.genes().items() if key not in own}
    return changed | gone


def changes_text(child: Genome, parent: Genome) -> str:
    """Describe what changed from a parent to its child in words; empty if nothing did.

    A block that was inserted or removed anywhere is named as such. Blocks are counted from 0, as in
    the genes' addresses, in the genome that has them.
    """
    before, after = parent.blocks, child.blocks
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    words = [
        _change(name, getattr(parent.network, name), getattr(child.network, name))
        for name in NETWORK_GENES
        if getattr(parent.network, name) != getattr(child.network, name)
    ]
    if len(old) == len(new):
        words += [word for i in range(len(old)) for word in _within(head + i, old[i], new[i])]
    elif not old:
        words += [f"block {head + i} added" for i in range(len(new))]
    elif not new:
        words += [f"block {head + i} removed" for i in range(len(old))]
    else:  # other numbers of blocks: which one became which is unknown
        words.append(
            f"blocks {head} to {head + len(old) - 1} replaced by {head} to {head + len(new) - 1}"
        )
    return ", ".join(words)


def allele_text(allele: Allele) -> str:
    """Give an allele as people write it."""
    if isinstance(allele, bool):
        return "yes" if allele else "no"
    if isinstance(allele, tuple):
        return "-".join(f"{end:g}" for end in allele)
    return f"{allele:g}" if isinstance(allele, float) else str(allele)


def _within(index: int, before: BlockGenes, after: BlockGenes) -> list[str]:
    return [
        _change(f"blocks.{index}.{name}", getattr(before, name), getattr(after, name))
        for name in BLOCK_GENES
        if getattr(before, name) != getattr(after, name)
    ]


def _change(name: str, before: Allele, after: Allele) -> str:
    return f"{name} {allele_text(before)} → {allele_text(after)}"


def _common(left: tuple[Any, ...], right: tuple[Any, ...]) -> int:
    """Count the items that two sequences share from their beginning."""
    n = 0
    while n < min(len(left), len(right)) and left[n] == right[n]:
        n += 1
    return n
