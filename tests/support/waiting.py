"""Waiting for other processes without taking the CPU that they need."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["until"]


def until(fact: Callable[[], object], seconds: float = 300.0, said: object = "") -> None:
    """Wait until something is so, looking fifty times a second; fail if it never is."""
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, said() if callable(said) else said
        time.sleep(0.02)
