"""How long trainings are, where a search has several lengths of them: its rungs.

A network first gets a short training. If it is among the best of its rung it is trained on, up to
three times as long in total, and so on to the whole length, `training.epochs`. Each step is a
training of its own, with the whole schedule of its own.
"""

from __future__ import annotations

from vlga.config.settings import SearchConfig
from vlga.config.strategies import RUNGED

__all__ = ["ETA", "rung_lengths", "training_epochs"]

#: How many times as long a network has been trained on a rung as on the one below it; and of how
#: many on a rung one goes up.
ETA = 3


def rung_lengths(config: SearchConfig) -> tuple[int, ...]:
    """Give the epochs that a network has been trained in total on each rung, rising.

    The last is `training.epochs`, each before it a third of the next, rounded, at least 1. Lengths
    that round to the same are one rung, so that there may be fewer than `population.rungs`. Where a
    strategy has no rungs there is one.
    """
    whole = config.training.epochs
    n_rungs = config.population.rungs if config.strategy in RUNGED else 1
    return tuple(sorted({max(1, round(whole / ETA**below)) for below in range(n_rungs)}))


def training_epochs(config: SearchConfig, rung: int) -> int:
    """Give the epochs of one training on a rung, at least 1.

    It goes on from the rung below; without `training.inherit_weights` it begins anew.
    """
    lengths = rung_lengths(config)
    goes_on = rung > 0 and config.training.inherit_weights
    return lengths[rung] - (lengths[rung - 1] if goes_on else 0)
