"""Trying again what was lost through no fault of the network: a worker, a cluster, time.

A worker that died or a time-out tells of the machine as often as of the network, and a cluster that
is gone (its head was restarted, the network was away) of no network at all.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from vlga.errors import EvaluatorError, EvaluatorLost
from vlga.ports.evaluation import Evaluation, FailureReason
from vlga.ports.evaluator import EvaluationTask, Evaluator, Trained
from vlga.ports.machines import Machines

__all__ = ["PatientEvaluator"]

logger = logging.getLogger(__name__)

#: Workers that a task may lose while no other task loses any: then it is the network that kills
#: them. Where workers are killed at random, eight in a row from one task alone are a rare accident.
_MAX_LOST_ALONE = 8
#: Workers that a task may lose at all, however many others die around it.
_MAX_LOST = 24
#: Trainings of a task that may run out of time.
_MAX_TIMED_OUT = 2
#: How long a cluster may be away; a head in a container is back in one minute or two.
_PATIENCE_SECONDS = 600.0
#: Between two looks for a cluster, of which each may take some seconds itself.
_PAUSE_SECONDS = 1.0


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


class PatientEvaluator:
    """An `Evaluator` that submits to another one again what was lost there.

    A task is all that a training needs, so it can be submitted again, behind all others, where its
    time begins anew:

    - A task whose worker was lost, up to `_MAX_LOST_ALONE` times, and once more for each worker
      that other tasks lost meanwhile: where many die, it is the machine.
    - A task that ran out of time, once, if another one lost its worker or its time during that
      training. Alone it was slow itself, unless no worker answered for it: then it hung.
    - If the evaluator itself is lost, every task that is out, in the same order, to another one
      that is made in its place. None of them counts as tried.

    The message of a failure that comes out says how often it was tried.
    """

    def __init__(
        self,
        first: Evaluator,
        make: Callable[[], Evaluator],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Begin with an evaluator that is there; it is closed with this one.

        Args:
            first: that `EvaluatorLost` may come out of.
            make: gives another one after that, or raises `EvaluatorError` if there can be none yet.
            clock: gives seconds.
            sleep: waits for so many seconds.
        """
        self._make = make
        self._clock = clock
        self._sleep = sleep
        self._out: dict[int, _Attempts] = {}
        self._n_lost = 0
        self._failed_at: dict[int, float] = {}
        self._evaluator: Evaluator | None = first
        self._n_slots = first.n_slots
        self._machines = first.machines
        self._given_up_at = 0.0

    @property
    def n_slots(self) -> int:
        """The evaluator's; the last one's while there is none."""
        if self._evaluator is not None:
            self._n_slots = self._evaluator.n_slots
        return self._n_slots

    @property
    def machines(self) -> Machines:
        """The evaluator's; the last one's while there is none."""
        if self._evaluator is not None:
            self._machines = self._evaluator.machines
        return self._machines

    def submit(self, task: EvaluationTask) -> None:
        """Submit a task now, or as soon as there is an evaluator."""
        self._submit(_Attempts(task, self._n_lost))

    def wait(self, timeout_seconds: float | None = None) -> Sequence[Trained]:
        """Give what has ended and is not tried again, at least one if any task is out.

        Raises:
            EvaluatorLost: the evaluator was away for too long.
        """
        deadline = math.inf if timeout_seconds is None else self._clock() + timeout_seconds
        while self._out:
            left = max(0.0, deadline - self._clock())
            ended = self._wait_once(None if timeout_seconds is None else left)
            settled = [one for one in map(self._settle, ended) if one is not None]
            if settled or left <= 0:
                return settled
            if self._evaluator is None:
                self._sleep(min(left, _PAUSE_SECONDS))
        return ()

    def drain(self) -> Sequence[int]:
        """Give up what has not started, and all if there is nowhere to go on."""
        given_up = [*self._out] if self._evaluator is None else self._evaluator.drain()
        for number in given_up:
            del self._out[number]
        return given_up

    def cancel(self) -> None:
        """Give up everything."""
        self._out.clear()
        if self._evaluator is not None:
            self._evaluator.cancel()

    def close(self) -> None:
        """Close the evaluator."""
        self._out.clear()
        if self._evaluator is not None:
            self._evaluator.close()

    def _submit(self, attempts: _Attempts) -> None:
        """Submit a task behind all others, if there is an evaluator."""
        self._out[attempts.task.candidate_id] = attempts
        if self._evaluator is not None:
            try:
                self._evaluator.submit(attempts.task)
            except EvaluatorLost as error:
                self._lose(error)

    def _settle(self, ended: Trained) -> Trained | None:
        """Give an outcome, or None if its task is tried again."""
        evaluation = ended.evaluation
        attempts = self._out.pop(evaluation.candidate_id)
        if evaluation.reason is FailureReason.WORKER_LOST:
            self._n_lost += 1
            attempts.n_lost += 1
            n_lost_by_others = self._n_lost - attempts.n_lost_before - attempts.n_lost
            is_last = attempts.n_lost >= min(_MAX_LOST, _MAX_LOST_ALONE + n_lost_by_others)
        elif evaluation.reason is FailureReason.TIMED_OUT:
            attempts.n_timed_out += 1
            is_last = attempts.n_timed_out >= _MAX_TIMED_OUT or self._was_slow_itself(evaluation)
        else:
            return ended
        self._failed_at[evaluation.candidate_id] = self._clock()
        if not is_last:
            self._submit(attempts)
            return None
        if attempts.number == 1:
            return ended
        message = f"{evaluation.message}; tried {attempts.number} times"
        return Trained(replace(evaluation, message=message))

    def _was_slow_itself(self, evaluation: Evaluation) -> bool:
        """Tell whether a training ran out of time while no other one lost anything."""
        began = self._clock() - evaluation.train_seconds
        own = evaluation.candidate_id
        others = any(at >= began for number, at in self._failed_at.items() if number != own)
        return bool(evaluation.worker) and not others

    def _wait_once(self, seconds: float | None) -> Sequence[Trained]:
        """Wait if there is an evaluator or can be one again; give nothing if not."""
        evaluator = self._evaluator or self._found_again()
        if evaluator is None:
            return ()
        try:
            return evaluator.wait(seconds)
        except EvaluatorLost as error:
            self._lose(error)
            return ()

    def _lose(self, error: EvaluatorLost) -> None:
        """Let an evaluator go that is lost."""
        lost, self._evaluator = self._evaluator, None
        if lost is not None:
            lost.close()
        self._given_up_at = self._clock() + _PATIENCE_SECONDS
        logger.warning("%s; waiting up to %.0f minutes for it", error, _PATIENCE_SECONDS / 60)

    def _found_again(self) -> Evaluator | None:
        """Give a new evaluator with all the tasks, or None if there can be none yet."""
        try:
            found = self._make()
            try:
                for attempts in self._out.values():
                    found.submit(attempts.task)
            except BaseException:
                found.close()
                raise
        except EvaluatorError as error:
            if self._clock() >= self._given_up_at:
                raise EvaluatorLost(str(error)) from error
            return None
        self._evaluator = found
        logger.info("the workers are back")
        return found
