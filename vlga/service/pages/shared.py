"""One answer for everybody who asks at the same time: a hundred watchers cost as much as two."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

__all__ = ["Shared"]

T = TypeVar("T")


@dataclass(slots=True)
class _Kept(Generic[T]):
    """An answer, and when it was begun to be made."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    begun: float = -1.0
    value: T | None = None


class Shared(Generic[T]):
    """Answers by key, each given to those who asked before it was begun, and to nobody else.

    So nobody gets one that is older than the question. For one event loop.

    Args:
        n_kept: keys to remember, at least 1.
    """

    def __init__(self, n_kept: int = 200) -> None:
        self._n_kept = n_kept
        self._kept: OrderedDict[Hashable, _Kept[T]] = OrderedDict()

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Give the answer for a key: one that is begun from now on."""
        asked = time.monotonic()
        kept = self._kept.setdefault(key, _Kept())
        self._kept.move_to_end(key)
        if len(self._kept) > self._n_kept:
            self._kept.popitem(last=False)
        async with kept.lock:
            if kept.value is None or kept.begun < asked:
                kept.begun = time.monotonic()
                kept.value = await make()
            return kept.value
