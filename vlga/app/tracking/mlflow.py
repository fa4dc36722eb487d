"""Runs of MLflow: each search is an experiment, each training a run of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from itertools import islice

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from vlga.app.tracking.runs import TrackedRun, points

__all__ = ["mlflow_writer"]

#: As many as MLflow takes at once.
_MOST_METRICS, _MOST_PARAMETERS = 1000, 100


def mlflow_writer(uri: str, search: str) -> Callable[[TrackedRun], None]:
    """Give a function that tells MLflow of a training.

    Args:
        uri: where MLflow keeps runs, such as ``http://host:5000`` or ``sqlite:///mlflow.db``.
        search: its name, and the experiment's.
    """

    @cache
    def client_and_experiment() -> tuple[MlflowClient, str]:
        client = MlflowClient(tracking_uri=uri)
        known = client.get_experiment_by_name(search)
        return client, known.experiment_id if known else client.create_experiment(search)

    def write(run: TrackedRun) -> None:
        client, experiment = client_and_experiment()
        number = client.create_run(experiment, run_name=run.name).info.run_id
        now = int(1000 * time.time())
        metrics = iter(
            [Metric(name, value, now, epoch) for name, epoch, value in points(run)]
            + [Metric(name, value, now, 0) for name, value in run.scores.items()]
        )
        parameters = iter([Param(key, str(value)) for key, value in run.hyperparameters.items()])
        while some := [*islice(metrics, _MOST_METRICS)]:
            client.log_batch(number, metrics=some)
        while few := [*islice(parameters, _MOST_PARAMETERS)]:
            client.log_batch(number, params=few)
        if run.problem:
            client.log_batch(number, tags=[RunTag("problem", run.problem)])
        client.set_terminated(number, "FAILED" if run.problem else "FINISHED")

    return write
