"""How good a search's committee is, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vlga.config.fitness import FitnessName
from vlga.report.formats import count_text, seconds_text
from vlga.report.rivals import scores_text

__all__ = ["committee_text"]


def committee_text(committee: Mapping[str, Any], n_test: int, fitness: FitnessName) -> str:
    """Say who is in a committee, how it did in the test, and what it costs, without a full stop.

    Args:
        committee: as `db.read.committees.read_committee` gives it.
        n_test: images that it was tested on.
        fitness: of the search.
    """
    numbers = [f"#{number}" for number in committee["members"]]
    return (
        f"mean of {', '.join(numbers[:-1])} and {numbers[-1]}: test accuracy "
        f"{scores_text(committee, n_test, fitness)}, for "
        f"{count_text(committee['parameters'])} parameters, {count_text(committee['macs'])} MACs "
        f"an image, trained in {seconds_text(committee['train_seconds'])}"
    )
