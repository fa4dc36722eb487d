"""The names of what a network's fitness may be, and the words in which it is shown.

`workers.fitness` computes it.
"""

from __future__ import annotations

from typing import Literal, get_args

__all__ = ["FITNESS_NAMES", "FitnessName", "fitness_words"]

FitnessName = Literal["accuracy", "balanced_accuracy", "f1_macro", "log_loss"]

FITNESS_NAMES: tuple[FitnessName, ...] = get_args(FitnessName)

_WORDS: dict[FitnessName, str] = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "f1_macro": "macro F1",
    # Not the log loss itself, of which less is better and which has no largest value.
    "log_loss": "exp(-log loss)",
}


def fitness_words(name: FitnessName) -> str:
    """Give the words for the number that is shown: ``balanced accuracy``, ``exp(-log loss)``."""
    return _WORDS[name]
