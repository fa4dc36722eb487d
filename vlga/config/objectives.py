"""What a search may weigh beside the fitness: the names of the objectives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

__all__ = ["COLUMNS", "ObjectiveName", "objectives_text", "weighed"]

ObjectiveName = Literal["fitness", "parameters", "macs", "latency"]

#: Under which name tables, rows and frames have each objective's values. Of the fitness more is
#: better; the others are costs.
COLUMNS: dict[str, str] = {
    "fitness": "fitness",
    "parameters": "parameters",
    "macs": "macs",
    "latency": "latency_seconds",
}


def weighed(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the objectives of a search's front: fitness and parameters where it has fitness alone.

    Args:
        config: of the search, as it is recorded; of an earlier version's search it has none.
    """
    objectives = config.get("objectives", ())
    return tuple(objectives) if len(objectives) > 1 else ("fitness", "parameters")


def objectives_text(objectives: Sequence[str]) -> str:
    """Give them in words, at least two: fitness, parameters and macs."""
    return f"{', '.join(objectives[:-1])} and {objectives[-1]}"
