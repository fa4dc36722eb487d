"""The machines that trainings run on."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Machines"]


@dataclass(frozen=True, slots=True)
class Machines:
    """Where trainings can run.

    Attributes:
        n_nodes: machines with room for at least one training.
        n_gpus: GPUs of theirs, whole ones; 0 if trainings use none.
        has_bfloat16: whether these compute in bfloat16, and not in float32, far slower.
    """

    n_nodes: int
    n_gpus: int
    has_bfloat16: bool = True
