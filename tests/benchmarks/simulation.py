"""Workers that are simulated: the real driver decides, trainings only take their time.

Time is simulated while every worker is busy and real while the driver decides: what the driver
needs, waiting for the disk included, delays the tasks that it starts.
"""

from __future__ import annotations

import heapq
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from vlga.ports.evaluation import EpochRecord, Evaluation
from vlga.ports.evaluator import EvaluationTask, Trained, Weights
from vlga.ports.machines import Machines

__all__ = ["SimulatedEvaluator", "Training", "busy_share", "log_normal"]


#: Mean and standard deviation of log MACs of the default preset's random networks on digits.
_LOG_MACS = 13.0, 1.9


@dataclass(frozen=True, slots=True)
class Training:
    """When a task ran, in simulated seconds."""

    start: float
    end: float


def log_normal(
    median: float, sigma: float, by_cost: float, seed: int
) -> Callable[[EvaluationTask], float]:
    """Give each task a duration in seconds, the same whenever and wherever it runs.

    Args:
        median: in seconds.
        sigma: standard deviation of the logarithm.
        by_cost: correlation of its logarithm with that of the network's multiply-accumulates, in
            [0, 1]; in real searches on digits and Fashion-MNIST it was 0.7 to 0.9.
        seed: of the rest.
    """

    def duration(task: EvaluationTask) -> float:
        cost = (math.log(task.plan.n_macs) - _LOG_MACS[0]) / _LOG_MACS[1]
        luck = Random(f"{seed}/{task.candidate_id}").gauss(0, 1)
        return median * math.exp(sigma * (by_cost * cost + math.sqrt(1 - by_cost**2) * luck))

    return duration


def busy_share(trainings: Sequence[Training], n_workers: int) -> float:
    """Give the share of worker time in training from the first start to the last, in [0, 1].

    After the last start nothing is left that an idle worker could do.
    """
    first, last = min(one.start for one in trainings), max(one.start for one in trainings)
    busy = sum(min(one.end, last) - one.start for one in trainings)
    return busy / (n_workers * (last - first))


@dataclass
class SimulatedEvaluator:
    """The port `Evaluator` as a discrete-event simulation; `clock` is the search's.

    Attributes:
        n_slots: workers.
        duration: gives a task's seconds.
        n_weight_bytes: size of every file of weights.
        trainings: all that ended, in the order in which they did.
    """

    n_slots: int
    duration: Callable[[EvaluationTask], float]
    n_weight_bytes: int = 0
    trainings: list[Training] = field(default_factory=list)
    _now: float = 0.0
    _returned: float = field(default_factory=time.perf_counter)
    _running: list[tuple[float, int, EvaluationTask, Training]] = field(default_factory=list)
    _spare: deque[EvaluationTask] = field(default_factory=deque)

    def clock(self) -> float:
        """Give the simulated time, which goes on while the driver does something."""
        return self._now + time.perf_counter() - self._returned

    @property
    def machines(self) -> Machines:
        """Give one for all workers."""
        return Machines(n_nodes=1, n_gpus=0)

    def submit(self, task: EvaluationTask) -> None:
        """Start a task, or line it up."""
        if len(self._running) < self.n_slots:
            self._start(task, self.clock())
        else:
            self._spare.append(task)

    def wait(self, timeout_seconds: float | None = None) -> Sequence[Trained]:
        """Go to when a task ends, or give all that ended while the driver was busy."""
        now = self.clock()
        if self._running:
            limit = math.inf if timeout_seconds is None else now + timeout_seconds
            now = max(now, min(self._running[0][0], limit))
        outcomes = []
        while self._running and self._running[0][0] <= now:
            end, _, task, training = heapq.heappop(self._running)
            self.trainings.append(training)
            evaluation = _outcome(task, training.end - training.start)
            outcomes.append(Trained(evaluation, self._weights(task.candidate_id)))
            if self._spare:
                self._start(self._spare.popleft(), end)
        self._now, self._returned = now, time.perf_counter()
        return outcomes

    def drain(self) -> Sequence[int]:
        """Give up what has not started."""
        given_up = [task.candidate_id for task in self._spare]
        self._spare.clear()
        return given_up

    def cancel(self) -> None:
        """Give up everything."""
        self._spare.clear()
        self._running.clear()

    def close(self) -> None:
        """Give up everything."""
        self.cancel()

    def _weights(self, candidate_id: int) -> Weights | None:
        """Give weights that are as long as they should be."""
        if not self.n_weight_bytes:
            return None
        return Weights(candidate_id, Random(candidate_id).randbytes(self.n_weight_bytes))

    def _start(self, task: EvaluationTask, at: float) -> None:
        training = Training(at, at + self.duration(task))
        heapq.heappush(self._running, (training.end, task.candidate_id, task, training))


def _outcome(task: EvaluationTask, seconds: float) -> Evaluation:
    """Give a higher fitness to deeper networks as a rule, with a curve as in a real search."""
    fitness = 0.9 - 0.5 / task.plan.depth - 0.1 * Random(task.seed).random()
    n_epochs = task.training.epochs
    return Evaluation(
        candidate_id=task.candidate_id,
        epochs=n_epochs,
        seed=task.seed,
        fitness=max(0.0, fitness),
        n_parameters=task.plan.n_parameters,
        n_macs=task.plan.n_macs,
        curve=tuple(
            EpochRecord(epoch, 1.0, 0.5, 1.0, 0.5, 0.1, seconds / n_epochs)
            for epoch in range(n_epochs)
        ),
        train_seconds=seconds,
        worker="simulated:0",
        device="cpu",
    )
