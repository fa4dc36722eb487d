"""Figures of a search on Ray for Prometheus, among Ray's own metrics.

Every machine of a cluster that has Ray with its extras (``ray[default]``) shows what its processes
measure on a page for Prometheus. Without the extras nothing is collected, and nothing fails.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import ray
import ray.exceptions
from ray.util import client, metrics

from vlga.errors import EvaluatorLost
from vlga.ports.evaluation import Evaluation, Source
from vlga.ports.observer import Ended, Evaluated, Event, FinalStarted, Progress, Updated
from workers.cluster.connect import while_connected

__all__ = ["RayMetrics"]

#: Figures are passed to Ray at most once in so many seconds; Ray shows them every ten seconds.
_SECONDS = 1.0
#: Seconds that a search waits at its end, at most, until Ray has collected its figures.
_SECONDS_TO_LEAVE = 10.0
#: Upper bounds of the histogram's classes, in seconds. Ray passes on only how many durations are in
#: each class, so the histogram's sum is an estimate.
_DURATIONS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400]
_GAUGES = {
    "vlga_trainings_running": "Trainings that are running.",
    "vlga_slots": "Trainings that can run at once.",
    "vlga_best_fitness": "Fitness of the fittest network so far, in [0, 1].",
    "vlga_phase": "Phase that is being searched, from 0.",
    "vlga_generation": "Generation within the phase, from 0.",
}


@dataclass(frozen=True, slots=True)
class _Report:
    """What was measured since the last report.

    Attributes:
        gauges: the latest values, by name.
        outcomes: how many evaluations had each (outcome, reason).
        seconds: of each training that completed.
        is_last: nothing is measured after it.
    """

    gauges: Mapping[str, float]
    outcomes: Mapping[tuple[str, str], int]
    seconds: Sequence[float]
    is_last: bool = False


class _Meters:
    """Ray's metrics of one search, in a process that Ray collects them from."""

    def __init__(self, search: str) -> None:
        tags = {"search": search}
        self._gauges = {
            name: metrics.Gauge(name, text, tag_keys=("search",)).set_default_tags(tags)
            for name, text in _GAUGES.items()
        }
        self._evaluations = metrics.Counter(
            "vlga_evaluations_total",
            "Evaluations of this run: completed, failed for a reason, or reused.",
            tag_keys=("search", "outcome", "reason"),
        ).set_default_tags(tags)
        self._seconds = metrics.Histogram(
            "vlga_training_seconds",
            "Duration of the trainings that completed.",
            boundaries=_DURATIONS,
            tag_keys=("search",),
        ).set_default_tags(tags)

    def record(self, report: _Report) -> None:
        """Pass a report to Ray."""
        for name, value in report.gauges.items():
            self._gauges[name].set(value)
        for (outcome, reason), n in report.outcomes.items():
            self._evaluations.inc(n, {"outcome": outcome, "reason": reason})
        for seconds in report.seconds:
            self._seconds.observe(seconds)

    def leave(self) -> None:
        """End this actor's process in good order: only then Ray passes on all that it has."""
        ray.actor.exit_actor()


class _RemoteMeters:
    """Meters in an actor of the cluster that reserves no CPU; a new one for each connection."""

    def __init__(self, search: str) -> None:
        self._actor_class = ray.remote(num_cpus=0, max_restarts=-1)(_Meters)
        self._search = search
        self._actor: Any = None
        self._connection: object = None

    def record(self, report: _Report) -> None:
        """Tell the actor, without waiting for it but after the last report.

        It would be killed with the connection, and with it whatever Ray, which collects every ten
        seconds, has not collected.
        """
        connection = client.ray.get_context().client_worker
        if connection is not self._connection:
            self._connection = connection
            self._actor = self._actor_class.remote(self._search)
        self._actor.record.remote(report)
        if report.is_last:
            with suppress(ray.exceptions.RayActorError, ray.exceptions.GetTimeoutError):
                ray.get(self._actor.leave.remote(), timeout=_SECONDS_TO_LEAVE)


class RayMetrics:
    """An `Observer` that measures the search. Ray must be connected.

    Ray does not collect metrics from a client of a cluster (``ray://``); there an actor in the
    cluster has them. What an earlier run recorded is not counted again, as is usual with
    Prometheus, so that sums and rates over several runs are right.
    """

    def __init__(self, search: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sent_at = clock()
        self._gauges: dict[str, float] = {}
        self._outcomes: Counter[tuple[str, str]] = Counter()
        self._seconds: list[float] = []
        self._send = _sender(search)

    def __call__(self, event: Event) -> None:
        """Count an event; pass on what was measured once a second, and the rest at the end."""
        match event:
            case Updated(progress):
                self._note(progress)
                if self._clock() - self._sent_at >= _SECONDS:
                    self._hand_on()
            case Evaluated(_, evaluation):
                self._count(evaluation)
            case FinalStarted():
                self._hand_on()
            case Ended():
                self._hand_on(is_last=True)

    def _note(self, progress: Progress) -> None:
        """Keep the latest values."""
        self._gauges = {
            "vlga_trainings_running": progress.n_running,
            "vlga_slots": progress.n_slots,
            "vlga_phase": progress.phase,
            "vlga_generation": progress.generation,
        }
        if progress.best is not None:
            self._gauges["vlga_best_fitness"] = progress.best.accuracy

    def _count(self, evaluation: Evaluation) -> None:
        if evaluation.source is not Source.TRAINED:
            self._outcomes["reused", ""] += 1
            return
        if evaluation.completed:
            self._outcomes["completed", ""] += 1
            self._seconds.append(evaluation.train_seconds)
        else:
            self._outcomes["failed", str(evaluation.reason)] += 1

    def _hand_on(self, *, is_last: bool = False) -> None:
        self._sent_at = self._clock()
        # If the cluster is lost, the search waits for it and says so itself.
        with suppress(EvaluatorLost), while_connected():
            self._send(
                _Report(dict(self._gauges), dict(self._outcomes), tuple(self._seconds), is_last)
            )
            self._outcomes.clear()
            self._seconds.clear()


def _sender(search: str) -> Callable[[_Report], object]:
    """Give what takes a report to where Ray collects it."""
    return _RemoteMeters(search).record if client.ray.is_connected() else _Meters(search).record
