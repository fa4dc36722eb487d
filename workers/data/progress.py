"""Lines for the person who waits for something that takes long."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

__all__ = ["counted"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds to the first line, and at most between two lines; each pause is twice the last one.
_FIRST_SECONDS, _MOST_SECONDS = 3.0, 60.0


def counted(
    what: str, some: Iterable[T], total: int, clock: Callable[[], float] = time.monotonic
) -> Iterator[T]:
    """Give all of some, and log how far it is while that takes long.

    Args:
        what: begins each line, such as ``reading images``.
        some: what takes its time.
        total: how many they are.
        clock: gives seconds.
    """
    pause = _FIRST_SECONDS
    told = clock()
    for index, one in enumerate(some):
        yield one
        now = clock()
        if now - told >= pause and index + 1 < total:
            logger.info("%s: %s of %s", what, f"{index + 1:,}", f"{total:,}")
            told, pause = now, min(2 * pause, _MOST_SECONDS)
