"""What an allele may be: rules that read a value as one, or raise `ValueError` with their words."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

__all__ = ["Allele", "number", "odd", "one_of", "whole", "window", "yes_or_no"]

Allele = str | int | float | bool | tuple[str | float, ...]


def one_of(*words: str) -> Callable[[Any], Allele]:
    """Make a rule: one of these words."""

    def read(value: Any) -> Allele:
        if value not in words:
            raise ValueError(" or ".join(repr(word) for word in words))
        return str(value)

    return read


def yes_or_no(value: Any) -> Allele:
    """Read a truth value; 0 and 1 are none."""
    if value is not True and value is not False:
        raise ValueError("true or false")
    return bool(value)


def whole(most: int) -> Callable[[Any], int]:
    """Make a rule: a whole number from 1 to `most`."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise ValueError(f"a whole number from 1 to {most:,}")
        return value

    return read


def odd(most: int) -> Callable[[Any], Allele]:
    """Make a rule: an odd number from 1 to `most`, of pixels."""
    read_whole = whole(most)

    def read(value: Any) -> Allele:
        if read_whole(value) % 2 == 0:
            raise ValueError("an odd number of pixels")
        return read_whole(value)

    return read


def number(rule: str, holds: Callable[[float], bool]) -> Callable[[Any], Allele]:
    """Make a rule, in words and as what holds for a finite number."""

    def read(value: Any) -> Allele:
        if not _is_number(value) or not math.isfinite(value):
            raise ValueError("a finite number")
        if not holds(float(value)):
            raise ValueError(rule)
        return float(value)

    return read


def window(value: Any) -> Allele:
    """Read [first, last), fractions of a training."""
    is_pair = isinstance(value, (list, tuple)) and len(value) == 2 and all(map(_is_number, value))
    if not is_pair or not 0 <= value[0] < value[1] <= 1:
        raise ValueError("[first, last] with 0 <= first < last <= 1")
    return (float(value[0]), float(value[1]))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
