"""Fair timing on a noisy machine: alternate the contestants, compare within each round."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["alternate", "median_ratio", "print_table", "report"]


def alternate(
    contestants: Mapping[str, Callable[[], float | None]], repeats: int
) -> dict[str, list[float]]:
    """Run every contestant once a round and give its seconds for each round.

    Args:
        contestants: names to functions; one that returns a number is taken to have timed itself.
        repeats: rounds, after one that is not counted.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for repeat in range(repeats + 1):
        for name, run in contestants.items():
            started = time.perf_counter()
            own = run()
            took = time.perf_counter() - started if own is None else own
            if repeat:
                seconds[name].append(took)
    return seconds


def median_ratio(seconds: Mapping[str, list[float]], name: str, base: str) -> float:
    """Give the median over rounds of one contestant's seconds over another's."""
    return statistics.median(
        one / other for one, other in zip(seconds[name], seconds[base], strict=True)
    )


def print_table(rows: list[dict[str, Any]]) -> None:
    """Print rows under a header."""
    columns = list(rows[0])
    widths = [max(len(column), *(len(str(row[column])) for row in rows)) for column in columns]
    for line in ({column: column for column in columns}, *rows):
        print("  ".join(str(line[c]).ljust(w) for c, w in zip(columns, widths, strict=True)))


def report(**figures: Any) -> None:
    """Print the figures as the last line, one JSON object."""
    print(json.dumps(figures))
