"""Trying again what failed through no fault of the network.

A worker that died or a time-out tells of the machine as often as of the network. Neither counts
against a genome before it has happened again and again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vlga.ports.evaluation import FailureReason
from vlga.ports.evaluator import EvaluationTask, Evaluator, Trained
from vlga.ports.machines import Machines

__all__ = ["RetryingEvaluator"]

#: Workers that a task may lose while no other task loses any: then it is the network that kills
#: them. Where workers are killed at random, eight in a row from one task alone are a rare accident.
_MAX_LOST_ALONE = 8
#: Workers that a task may lose at all, however many others die around it.
_MAX_LOST = 24
#: Trainings of a task that may run out of time.
_MAX_TIMED_OUT = 2


@dataclass(slots=True)
class _Attempts:
    """What became of a task so far.

    Attributes:
        task: to try again.
        n_lost_before: workers that had been lost in all when it was first submitted.
        n_lost: workers that it lost itself.
        n_timed_out: its trainings that ran out of time.
    """

    task: EvaluationTask
    n_lost_before: int
    n_lost: int = 0
    n_timed_out: int = 0

    @property
    def number(self) -> int:
        """How often it was tried and failed."""
        return self.n_lost + self.n_timed_out


class RetryingEvaluator:
    """An `Evaluator` that tries transient failures of another one again.

    A lost worker is tried again up to `_MAX_LOST_ALONE` times, and once more for each worker that
    other tasks lost meanwhile: where many die, it is the machine. A training that ran out of time
    is tried once more. A task to try again is submitted anew, behind all others, and its time
    begins anew. The message of a failure that comes out says how often it was tried.
    """

    def __init__(self, evaluator: Evaluator) -> None:
        """Take the evaluator that trains; it is closed with this one."""
        self._evaluator = evaluator
        self._out: dict[int, _Attempts] = {}
        self._n_lost = 0

    @property
    def n_slots(self) -> int:
        """The evaluator's."""
        return self._evaluator.n_slots

    @property
    def machines(self) -> Machines:
        """The evaluator's."""
        return self._evaluator.machines

    def submit(self, task: EvaluationTask) -> None:
        """Submit a task for the first time."""
        self._out[task.candidate_id] = _Attempts(task, self._n_lost)
        self._evaluator.submit(task)

    def wait(self, timeout_seconds: float | None = None) -> Sequence[Trained]:
        """Give what has ended and is not tried again, at least one if any task is out."""
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        while ended := self._evaluator.wait(timeout_seconds):
            settled = [one for one in map(self._settle, ended) if one is not None]
            if deadline is not None:
                timeout_seconds = max(0.0, deadline - time.monotonic())
            if settled or timeout_seconds == 0:
                return settled
        return ()

    def drain(self) -> Sequence[int]:
        """Give up what has not started, also of what is to be tried again."""
        given_up = self._evaluator.drain()
        for number in given_up:
            del self._out[number]
        return given_up

    def cancel(self) -> None:
        """Give up everything."""
        self._evaluator.cancel()
        self._out.clear()

    def close(self) -> None:
        """Close the evaluator."""
        self._evaluator.close()
        self._out.clear()

    def _settle(self, ended: Trained) -> Trained | None:
        """Give an outcome, or None if its task is tried again."""
        evaluation = ended.evaluation
        attempts = self._out[evaluation.candidate_id]
        if evaluation.reason is FailureReason.WORKER_LOST:
            self._n_lost += 1
            attempts.n_lost += 1
            n_lost_by_others = self._n_lost - attempts.n_lost_before - attempts.n_lost
            is_last = attempts.n_lost >= min(_MAX_LOST, _MAX_LOST_ALONE + n_lost_by_others)
        elif evaluation.reason is FailureReason.TIMED_OUT:
            attempts.n_timed_out += 1
            is_last = attempts.n_timed_out >= _MAX_TIMED_OUT
        else:
            del self._out[evaluation.candidate_id]
            return ended
        if not is_last:
            self._evaluator.submit(attempts.task)
            return None
        del self._out[evaluation.candidate_id]
        message = f"{evaluation.message}; tried {attempts.number} times"
        return Trained(replace(evaluation, message=message))
