"""How good a search's committee is, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vlga.report.formats import count_text, seconds_text

__all__ = ["committee_text", "members_text", "tested_of"]


def tested_of(shown: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give what a search answers with: its committee, if it has one, else its winner.

    Args:
        shown: as `db.read.searches.show_search` gives it.

    Returns:
        With its `test_accuracy` and its `test_fitness`, both None until it is tested.
    """
    found: Mapping[str, Any] | None = shown["committee"] or shown["best"]
    return found or {"test_accuracy": None, "test_fitness": None}


def members_text(committee: Mapping[str, Any]) -> str:
    """Name the members of a committee as what they are together: the mean of #1 and #2.

    Args:
        committee: as `db.read.committees.read_committee` gives it.
    """
    numbers = [f"#{number}" for number in committee["members"]]
    return f"the mean of {', '.join(numbers[:-1])} and {numbers[-1]}"


def committee_text(committee: Mapping[str, Any]) -> str:
    """Say who is in a committee, and what it costs, without a full stop.

    Args:
        committee: as `db.read.committees.read_committee` gives it.
    """
    return (
        f"by {members_text(committee)}, together "
        f"{count_text(committee['parameters'])} parameters, {count_text(committee['macs'])} MACs "
        f"an image, trained for {seconds_text(committee['train_seconds'])} in all"
    )
