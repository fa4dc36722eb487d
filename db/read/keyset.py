"""Pages of long lists by keyset: a page anywhere in a list takes as long as the first.

A cursor says after which row a page begins: the list's order and the keys of that row, which an
index leads to. It is opaque to people: base64url of JSON.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vlga.errors import ConfigError, shown

__all__ = ["Page", "cursor_after", "read_cursor"]

_MOST_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list.

    Attributes:
        items: rows that JSON can hold.
        next: the cursor of the next page, or None at the end of the list.
    """

    items: list[dict[str, Any]]
    next: str | None


def cursor_after(order: str, *keys: float) -> str:
    """Give the cursor of the page after the row with these keys, finite numbers."""
    return urlsafe_b64encode(json.dumps([order, *keys]).encode()).decode().rstrip("=")


def read_cursor(cursor: str, order: str, kinds: Sequence[type]) -> list[Any]:
    """Give the keys of a cursor, of these kinds (`int` or `float`).

    Raises:
        ConfigError: it is none, or of another list.
    """
    keys = _decoded(cursor) if len(cursor) <= _MOST_CHARACTERS else []
    if [type(key) for key in keys] != [str, *kinds] or keys[0] != order:
        raise ConfigError(
            "cursor must be the `next` of a page of the same list in the same order, but got "
            f"{shown(cursor)}; leave it out to begin"
        )
    return keys[1:]


def _decoded(cursor: str) -> list[Any]:
    """Give what is in a cursor, or an empty list if that is not from `cursor_after`."""
    try:
        text = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        keys = json.loads(text)
    except (ValueError, RecursionError):
        return []
    is_ours = isinstance(keys, list) and all(
        abs(key) < 2**63 for key in keys if isinstance(key, int | float)
    )
    return keys if is_ours else []
