"""What Ray shows to Prometheus; a whole search on a cluster is in tests/cli/test_cluster.py."""

import time
from dataclasses import replace

import pytest
import ray

from tests.cli.test_live import PROGRESS
from tests.support.prometheus import measured
from tests.support.records import candidate, evaluation
from vlga.ports.evaluation import FailureReason, Source
from vlga.ports.observer import Ended, Evaluated, FinalStarted, Recalled, Updated
from workers.cluster.metrics import RayMetrics

pytestmark = pytest.mark.usefixtures("cluster")


def pages():
    """Where this machine shows what is measured."""
    return [f"http://127.0.0.1:{node['MetricsExportPort']}/metrics" for node in ray.nodes()]


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self):
        return self.now


class TestASearch:
    def test_is_shown_to_prometheus(self):
        """Each outcome once and apart, the latest values, durations, and another search's beside.

        What was recalled is not counted again.
        """
        mine, other = RayMetrics("mine"), RayMetrics("other")
        mine(Updated(PROGRESS))
        mine(Recalled(candidate(0), evaluation(0)))
        mine(Evaluated(candidate(1), replace(evaluation(1), train_seconds=4.0)))
        mine(Evaluated(candidate(2), replace(evaluation(2), train_seconds=45.0)))
        mine(Evaluated(candidate(3), evaluation(3, reason=FailureReason.DIVERGED)))
        for source in (Source.EQUAL_CANDIDATE, Source.OTHER_SEARCH):
            mine(Evaluated(candidate(4), replace(evaluation(4), source=source)))
        other(Updated(PROGRESS))
        other(Evaluated(candidate(1), evaluation(1)))
        for observer in (mine, other):
            observer(Ended("completed"))
        wanted = {
            ("vlga_evaluations_total", "completed", ""): 2,
            ("vlga_evaluations_total", "failed", "diverged"): 1,
            ("vlga_evaluations_total", "reused", ""): 2,
            ("vlga_training_seconds_count",): 2,
            ("vlga_training_seconds_bucket", "2.0"): 0,
            ("vlga_training_seconds_bucket", "5.0"): 1,
            ("vlga_training_seconds_bucket", "60.0"): 2,
            ("vlga_trainings_running",): 2,
            ("vlga_slots",): 2,
            ("vlga_best_fitness",): 0.9012,
            ("vlga_phase",): 1,
            ("vlga_generation",): 2,
        }
        deadline = time.monotonic() + 30
        # Ray passes on every ten seconds what it has, and shows a value for twice as long.
        while not wanted.items() <= (found := measured(pages(), "mine")).items():
            assert time.monotonic() < deadline, found

        assert measured(pages(), "other")["vlga_evaluations_total", "completed", ""] == 1

    def test_is_handed_on_once_a_second(self, monkeypatch):
        """However many trainings end in it; and what is left, when nothing more comes."""
        clock, reports = Clock(), []
        monkeypatch.setattr("workers.cluster.metrics._sender", lambda _: reports.append)
        metrics = RayMetrics("mine", clock)
        for clock.now in (0.2, 0.9, 1.0, 1.5):
            metrics(Evaluated(candidate(1), evaluation(1)))
            metrics(Updated(PROGRESS))
        metrics(FinalStarted(PROGRESS.best, 30))
        metrics(Ended("completed"))

        assert [one.outcomes for one in reports] == [
            {("completed", ""): 3},
            {("completed", ""): 1},
            {},
        ]
        assert [len(one.seconds) for one in reports] == [3, 1, 0]

    def test_goes_on_without_the_cluster(self):
        """Whoever measures has nothing to say when the connection is gone, and raises nothing."""
        metrics = RayMetrics("mine")
        ray.shutdown()
        metrics(Evaluated(candidate(1), evaluation(1)))
        metrics(Ended("completed"))
