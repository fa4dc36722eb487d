"""What came of one attempt to train a network, and why it failed if it did."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from vlga.ports.evaluation import EpochRecord, FailureReason
from vlga.ports.mistakes import Mistakes
from workers.training.cuda_errors import is_out_of_memory

__all__ = ["Outcome", "first_line", "reason_of"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt; the fields are those of `Evaluation`.

    Attributes:
        weights: trained ones as bytes, if the task keeps them.
        is_built: whether the network was, so that a failure is one of its training.
        latency_seconds: of one image, if it was measured.
    """

    fitness: float | None
    reason: FailureReason | None = None
    message: str = ""
    curve: tuple[EpochRecord, ...] = ()
    weights: bytes | None = None
    test_accuracy: float | None = None
    is_built: bool = True
    latency_seconds: float | None = None
    mistakes: Mistakes | None = None

    @property
    def ran_out_of_memory(self) -> bool:
        """Whether less would have been enough for a smaller batch."""
        return self.is_built and self.reason is FailureReason.OUT_OF_MEMORY

    @property
    def validation_loss(self) -> float | None:
        """The loss on the images that gave the fitness, if it was measured."""
        is_known = self.fitness is not None and self.curve
        return self.curve[-1].validation_loss if is_known else None

    @classmethod
    def too_slow(cls, seconds: float, limit_ms: float) -> Outcome:
        """Give that of a network that takes too long for one image, and is not trained."""
        words = (
            f"takes {1000 * seconds:.3g} ms for one image, more than limits.latency_ms={limit_ms:g}"
        )
        return cls(None, FailureReason.TOO_SLOW, words, latency_seconds=seconds)


def reason_of(error: Exception, stage: FailureReason) -> FailureReason:
    """Tell running out of memory from what else may go wrong at a stage."""
    out_of_memory = isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        # Neither what CUDA has outside torch's pool, nor torch's allocator or oneDNN on a CPU, has
        # a type of its own for it.
        isinstance(error, RuntimeError)
        and (
            is_out_of_memory(str(error))
            or "can't allocate memory" in str(error)
            or str(error) == "could not create a primitive"
        )
    )
    return FailureReason.OUT_OF_MEMORY if out_of_memory else stage


def first_line(error: Exception) -> str:
    """Say in one line, of at most 500 characters, what an error is."""
    return f"{type(error).__name__}: {error}".splitlines()[0][:500]
