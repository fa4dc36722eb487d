"""Checking the alleles of a space: those of our genes, and those of anybody's.

Of the genes of another than our networks nothing is known but their names and alleles;
`SearchSpace.from_alleles` makes a space of them.
"""

from __future__ import annotations

import functools
import keyword
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, make_dataclass
from typing import Any

from vlga.errors import ConfigError, nearest
from vlga.genetics.genome import Allele

__all__ = ["check_alleles", "hashable", "make_genes"]

_WORDS: dict[str, tuple[str, ...]] = {
    "activation": ("relu", "tanh", "elu", "selu"),
    "head_pool": ("max", "average"),
    "amplify": ("off", "random", "intelligent"),
    "amplify_kind": ("batch_norm", "activation", "conv", "any"),
    "amplify_measure": ("G1", "G2"),
    "amplify_threshold": ("mean", "mean_std"),
    "pool_type": ("max", "average"),
}


_RANGES: dict[str, tuple[str, Callable[[float], bool]]] = {
    "learning_rate": ("above 0", lambda number: number > 0),
    "momentum": ("in [0, 1)", lambda number: 0 <= number < 1),
    "weight_decay": ("at least 0", lambda number: number >= 0),
    "amplify_ratio": ("in (0, 1]", lambda number: 0 < number <= 1),
    "amplify_factor": ("at least 1", lambda number: number >= 1),
}


def _checked(
    where: str, settings: Mapping[str, Any], genes: type
) -> tuple[tuple[Allele, ...], ...]:
    """Check one table of alleles and order it as the genes are."""
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
        if name == "amplify_window":
            is_list = is_list and bool(value) and isinstance(value[0], (list, tuple))
        alleles = tuple(
            _allele(where, name, kind, item) for item in (value if is_list else [value])
        )
        if not alleles or len(set(alleles)) != len(alleles):
            raise ConfigError(
                f"[{where}] {name} must list at least one allele and none twice, but got {value!r}"
            )
        checked.append(alleles)
    return tuple(checked)


def _allele(where: str, name: str, kind: str, value: Any) -> Allele:
    """Check one allele against its gene's type and range."""

    def refuse(rule: str) -> ConfigError:
        return ConfigError(f"[{where}] {name} must be {rule}, but got {value!r}")

    if name in _WORDS:
        if value not in _WORDS[name]:
            raise refuse(" or ".join(repr(word) for word in _WORDS[name]))
        return str(value)
    if kind == "bool":
        if not isinstance(value, bool):
            raise refuse("true or false")
        return value
    if kind == "int":
        must_be_odd = name.startswith("kernel")
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise refuse("a whole number of at least 1")
        if must_be_odd and value % 2 == 0:
            raise refuse("an odd number of pixels")
        return value
    if name == "amplify_window":
        if not _is_window(value):
            raise refuse("[first, last] with 0 <= first < last <= 1")
        return (float(value[0]), float(value[1]))
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise refuse("a finite number")
    rule, holds = _RANGES[name]
    if not holds(float(value)):
        raise refuse(rule)
    return float(value)


def _is_window(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and len(value) == 2
        and all(isinstance(end, (int, float)) and not isinstance(end, bool) for end in value)
        and 0 <= value[0] < value[1] <= 1
    )


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
