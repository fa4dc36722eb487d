"""Genes of which nothing is known but their names and alleles: those of another than our networks.

`SearchSpace.from_alleles` makes a space of them.
"""

from __future__ import annotations

import functools
import keyword
import math
from collections.abc import Mapping, Sequence
from dataclasses import make_dataclass
from typing import Any

from vlga.errors import ConfigError
from vlga.genome import Allele

__all__ = ["check_alleles", "hashable", "make_genes"]


@functools.cache
def make_genes(kind: str, names: tuple[str, ...]) -> type[Any]:
    """Make a dataclass of genes like those of genome.py, the same one for the same names."""
    return make_dataclass(kind, names, frozen=True, slots=True)


def hashable(genes: Mapping[str, Any]) -> dict[str, Any]:
    """Give these genes with each allele as a genome holds it: a list as a tuple."""
    return {
        name: tuple(allele) if isinstance(allele, list) else allele
        for name, allele in genes.items()
    }


def check_alleles(
    where: str, settings: Mapping[str, Sequence[Any]]
) -> tuple[tuple[Allele, ...], ...]:
    """Give the alleles of each gene in order, as a genome holds them.

    Args:
        where: name of the table, for a message.
        settings: gene to its alleles, each a string, a finite number, true or false, or a list of
            these.

    Raises:
        ConfigError: a gene's name is no identifier; a gene has no list of alleles, an empty one or
            one allele twice; an allele is none.
    """
    checked = []
    for name, value in settings.items():
        if not name.isidentifier() or keyword.iskeyword(name):
            raise ConfigError(
                f"[{where}] a gene's name must be one that Python allows, but got {name!r}"
            )
        if not isinstance(value, (list, tuple)):
            raise ConfigError(f"[{where}] {name} must be a list of alleles, but got {value!r}")
        alleles = tuple(tuple(one) if isinstance(one, list) else one for one in value)
        for allele in alleles:
            if not all(map(_is_plain, allele if isinstance(allele, tuple) else [allele])):
                raise ConfigError(
                    f"[{where}] {name} must list strings, finite numbers, true or false, or lists "
                    f"of these, but got {allele!r}; give it a name, and look that up where you "
                    "train"
                )
        if not alleles or len(set(alleles)) != len(alleles):
            raise ConfigError(
                f"[{where}] {name} must list at least one allele and none twice, but got {value!r}"
            )
        checked.append(alleles)
    return tuple(checked)


def _is_plain(value: Any) -> bool:
    return isinstance(value, (str, int)) or (isinstance(value, float) and math.isfinite(value))
