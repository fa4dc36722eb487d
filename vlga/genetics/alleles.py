"""Checking the alleles of a space: those of our genes, and those of anybody's.

Of the genes of another than our networks nothing is known but their names and alleles;
`SearchSpace.from_alleles` makes a space of them.
"""

from __future__ import annotations

import functools
import json
import keyword
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, make_dataclass
from typing import Any

from vlga.errors import ConfigError, nearest
from vlga.genetics.genes import GENES
from vlga.genetics.rules import Allele

__all__ = ["check_alleles", "checked_alleles", "checked_prior", "make_genes"]


def checked_alleles(
    where: str, settings: Mapping[str, Any], genes: type
) -> tuple[tuple[Allele, ...], ...]:
    """Check one table of our genes' alleles and order it as the genes are.

    Args:
        where: name of the table, for a message.
        settings: gene to its alleles, or to the only one.
        genes: `NetworkGenes` or `BlockGenes`.

    Raises:
        ConfigError: a gene is missing or unknown; it has no alleles or one twice; an allele has the
            wrong type or lies outside its gene's range.
    """
    names = {field.name: str(field.type) for field in fields(genes)}
    for name in settings:
        if name not in names:
            raise ConfigError(f"[{where}] has no gene {name!r}{nearest(name, names)}")
    checked = []
    for name, kind in names.items():
        if name not in settings:
            raise ConfigError(f"[{where}] must list the alleles of {name!r}, but it is missing")
        value = settings[name]
        is_list = isinstance(value, (list, tuple))
        if kind.startswith("tuple"):
            is_list = is_list and bool(value) and isinstance(value[0], (list, tuple))
        alleles = tuple(_allele(where, name, item) for item in (value if is_list else [value]))
        if not alleles or len(set(alleles)) != len(alleles):
            raise ConfigError(
                f"[{where}] {name} must list at least one allele and none twice, but got {value!r}"
            )
        checked.append(alleles)
    return tuple(checked)


def checked_prior(settings: Mapping[str, Any]) -> dict[str, dict[Allele, float]]:
    """Check how often some alleles are drawn.

    Args:
        settings: gene to a table of its alleles, by name, with a weight each, such as
            ``{"kernel_a": {"3": 4, "5": 1}}``. They need not be in the space.

    Raises:
        ConfigError: no such gene; one of its alleles is none; a weight is no number of at least 0.
    """
    prior: dict[str, dict[Allele, float]] = {}
    for gene, weights in settings.items():
        if gene not in GENES:
            raise ConfigError(f"[space.prior] has no gene {gene!r}{nearest(gene, GENES)}")
        if not isinstance(weights, Mapping):
            raise ConfigError(
                f"[space.prior] {gene} must be a table of alleles with a weight each, such as "
                f"{{ALLELE = 2}}, but got {weights!r}"
            )
        prior[gene] = {}
        for name, weight in weights.items():
            if not _is_weight(weight):
                raise ConfigError(
                    f"[space.prior.{gene}] {name} must be a number of at least 0, "
                    f"but got {weight!r}"
                )
            prior[gene][_allele("space.prior", gene, _value(str(name)))] = float(weight)
    return prior


def _is_weight(value: Any) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and value >= 0


def _value(name: str) -> Any:
    """Give the allele that is named as in TOML, a string without its quotes."""
    try:
        return json.loads(name)
    except ValueError:
        return name


def _allele(where: str, name: str, value: Any) -> Allele:
    """Check one allele against its gene's type and range."""
    try:
        return GENES[name].read(value)
    except ValueError as rule:
        raise ConfigError(f"[{where}] {name} must be {rule}, but got {value!r}") from rule


@functools.cache
def make_genes(kind: str, names: tuple[str, ...]) -> type[Any]:
    """Make a dataclass of genes like those of genes.py, the same one for the same names."""
    return make_dataclass(kind, names, frozen=True, slots=True)


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
