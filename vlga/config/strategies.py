"""The names of the strategies, and what must be known of one without loading it.

Their classes are in `vlga.strategies`; a test holds the two to each other.
"""

from __future__ import annotations

from typing import Literal

__all__ = [
    "ENDING",
    "GENERATIONAL",
    "KNOWN_NETWORKS",
    "MULTI_OBJECTIVE",
    "PHASED",
    "RUNGED",
    "STUDIES",
    "StrategyName",
]

StrategyName = Literal[
    "variable_length",
    "random_search",
    "fixed_length",
    "regularized_evolution",
    "large_scale_evolution",
    "steady_state",
    "ladder",
    "optuna_tpe",
    "optuna_tpe_asha",
    "one_epoch_then_best",
    "hand_made",
    "grid",
]

#: Those whose candidates are the trials of a study, which have no parents.
STUDIES: frozenset[str] = frozenset({"grid"})
#: Those that train known networks, which have neither genes nor parents.
KNOWN_NETWORKS: frozenset[str] = STUDIES | {"hand_made"}
#: Those that go through phases, and may be limited in their number.
PHASED: frozenset[str] = frozenset({"variable_length"})
#: Those whose trainings have several lengths, the rungs of a ladder.
RUNGED: frozenset[str] = frozenset({"ladder", "optuna_tpe_asha", "one_epoch_then_best"})
#: Those that make whole generations, of networks that must be alike; they take no founders.
GENERATIONAL: frozenset[str] = frozenset({"fixed_length", "grid", "hand_made", "variable_length"})
#: Those that can weigh other objectives beside the fitness (`vlga.config.objectives`).
MULTI_OBJECTIVE: frozenset[str] = frozenset({"ladder", "steady_state"})
#: Those that end by a rule of their own; the others must have a budget.
ENDING: frozenset[str] = STUDIES | PHASED
