"""Going on after a cluster was gone: its head was restarted, or the network was away."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from vlga.errors import EvaluatorError, EvaluatorLost
from vlga.ports.evaluator import EvaluationTask, Evaluator, Trained
from vlga.ports.machines import Machines

__all__ = ["ReconnectingEvaluator"]

#: How long a cluster may be away; a head in a container is back in one minute or two.
_PATIENCE_SECONDS = 600.0
#: Between two tries, of which each may take some seconds itself.
_PAUSE_SECONDS = 1.0


class ReconnectingEvaluator:
    """An `Evaluator` that makes another one in the place of one that is lost.

    Every task that is out is submitted to the new one, in the same order: a task is all that a
    training needs, so that nothing but time is lost with those that were in training.
    """

    def __init__(
        self,
        first: Evaluator,
        make: Callable[[], Evaluator],
        say: Callable[[str], object] = lambda _: None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Begin with one that is there.

        Args:
            first: that `EvaluatorLost` may come out of.
            make: gives another one after that, or raises `EvaluatorError` if there can be none yet.
            say: is told when waiting begins and when it ends.
            clock: gives seconds.
            sleep: waits for so many seconds.
        """
        self._make = make
        self._say = say
        self._clock = clock
        self._sleep = sleep
        self._out: dict[int, EvaluationTask] = {}
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
        self._out[task.candidate_id] = task
        if self._evaluator is not None:
            try:
                self._evaluator.submit(task)
            except EvaluatorLost as error:
                self._lose(error)

    def wait(self, timeout_seconds: float | None = None) -> Sequence[Trained]:
        """Give what has ended, at least one if any task is out; meanwhile look for the cluster.

        Raises:
            EvaluatorLost: it was away for too long.
        """
        deadline = None if timeout_seconds is None else self._clock() + timeout_seconds
        while self._out:
            left = math.inf if deadline is None else max(0.0, deadline - self._clock())
            ended = self._wait_once(None if deadline is None else left)
            for one in ended:
                del self._out[one.evaluation.candidate_id]
            if ended or left <= 0:
                return ended
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

    def _wait_once(self, seconds: float | None) -> Sequence[Trained]:
        """Wait if there is an evaluator or can be one again; give nothing if not."""
        evaluator = self._evaluator or self._reconnected()
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
        self._say(f"{error}; waiting up to {_PATIENCE_SECONDS / 60:.0f} minutes for it")

    def _reconnected(self) -> Evaluator | None:
        """Give a new evaluator with all the tasks, or None if there can be none yet."""
        try:
            found = self._make()
            for task in self._out.values():
                found.submit(task)
        except EvaluatorError as error:
            if self._clock() >= self._given_up_at:
                raise EvaluatorLost(str(error)) from error
            return None
        self._evaluator = found
        self._say("the workers are back")
        return found
