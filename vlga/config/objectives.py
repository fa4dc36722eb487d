"""What a search may weigh beside the fitness: the names of the objectives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

__all__ = ["COLUMNS", "ObjectiveName", "weighed"]

ObjectiveName = Literal["fitness", "parameters", "macs"]

#: Under which name tables, rows and frames have each objective's values. Of the fitness more is
#: better; the others are costs.
COLUMNS: dict[str, str] = {"fitness": "fitness", "parameters": "parameters", "macs": "macs"}


def weighed(objectives: Sequence[str]) -> tuple[str, ...]:
    """Give the objectives of a search's front: fitness and parameters where it has one alone.

    Args:
        objectives: of the search, fitness first.
    """
    return tuple(objectives) if len(objectives) > 1 else ("fitness", "parameters")
