"""Running one search: what ``search``, ``resume`` and ``compare`` share."""

from __future__ import annotations

import platform
import re
import shlex
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from db.connection.outage import Patience
from db.store import SqlStore
from vlga.cli.live import TerminalObserver
from vlga.cli.signals import announcing, ignore_signals, obeying_signals
from vlga.config.settings import SearchConfig, WorkersConfig
from vlga.errors import (
    ConfigError,
    DataError,
    EvaluatorLost,
    LeaseLost,
    SearchExists,
    SearchStopped,
    StoreError,
    StoreFailed,
    VlgaError,
)
from vlga.ports.candidate import Individual
from vlga.ports.data import DataSummary
from vlga.ports.evaluation import Evaluation
from vlga.ports.evaluator import Evaluator
from vlga.ports.ledger import SearchRecord
from vlga.ports.observer import Ended, FinalStarted, Observer, ignore, tell_each
from vlga.search.artifacts import ARTIFACTS, ArtifactFolder
from vlga.search.driver import Search
from vlga.search.final import train_winner
from vlga.search.hold import Tenure
from workers.evaluators.patient import PatientEvaluator

__all__ = [
    "check_name",
    "enter",
    "load_data",
    "make_evaluator",
    "new_record",
    "overrides",
    "refuse_taken",
    "run_search",
    "worker_overrides",
]

#: How long a search that runs waits for a database that is away.
_OUTAGE_SECONDS = 120.0

_LIBRARIES = ("vlga", "torch", "torchvision", "ray", "deap", "sqlalchemy", "numpy")


def overrides(options: dict[str, Any]) -> dict[str, Any]:
    """Map the command line's `configuration_options` and `worker_options` to settings."""
    options = dict(options)
    data = options.pop("data")
    is_path = data is not None and Path(data).exists()
    return {
        "data.name": str(Path(data).absolute()) if is_path else data,
        "data.dir": options.pop("data_dir"),
        "seed": options.pop("seed"),
        **worker_overrides(options),
    }


def worker_overrides(options: dict[str, Any]) -> dict[str, Any]:
    """Map the command line's `worker_options` to settings."""
    return {f"workers.{key}": value for key, value in options.items()}


def check_name(name: str) -> None:
    """Refuse a name that cannot be a folder's and be typed without quotes."""
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise ConfigError(
            "--name must be letters, digits, '_', '.' and '-', beginning with one of the first "
            f"three, but got {name!r}"
        )


def load_data(config: SearchConfig) -> Any:
    """Read the data set that the settings ask for."""
    from workers.data import load_dataset

    return load_dataset(config.data)


def make_evaluator(config: SearchConfig, dataset: Any) -> Evaluator:
    """Give the evaluator that the settings ask for, patient with what is not a network's fault.

    One on Ray has a copy of the images where the workers of a machine share it: whoever lets go of
    the data set then has them in memory once, not twice. They are read again for another cluster.
    """
    say = partial(click.echo, err=True)
    return PatientEvaluator(
        _training_evaluator(config.workers, dataset, say),
        partial(_evaluator_again, config, dataset.summary(), say),
        say,
    )


def _evaluator_again(
    config: SearchConfig, data: DataSummary, say: Callable[[str], object]
) -> Evaluator:
    """Give another evaluator on the same images. Raises `DataError` if they have changed."""
    dataset = load_data(config)
    if dataset.summary() != data:
        raise DataError(
            f"the images of {data.name!r} must be those that the search began with, but they have "
            "changed since; bring them back and resume the search"
        )
    return _training_evaluator(config.workers, dataset, say)


def _training_evaluator(
    workers: WorkersConfig, dataset: Any, say: Callable[[str], object]
) -> Evaluator:
    """Give what trains; torch and Ray are loaded only now."""
    if workers.inline:
        from workers.evaluators.inline import InlineEvaluator, has_gpu

        gpus = workers.gpus_per_evaluation
        return InlineEvaluator(
            dataset,
            use_gpu=has_gpu() if gpus == "auto" else gpus > 0,
            n_threads=max(1, int(workers.cpus_per_evaluation)),
        )
    from workers.evaluators.on_ray import RayEvaluator

    return RayEvaluator(
        dataset,
        address=workers.address,
        n_workers=workers.workers,
        cpus_per_evaluation=workers.cpus_per_evaluation,
        gpus_per_evaluation=workers.gpus_per_evaluation,
        say=say,
    )


def _metrics(search: str, workers: WorkersConfig) -> Observer:
    """Give what Prometheus hears of a search by, where it runs on Ray."""
    if workers.inline:
        return ignore
    from workers.cluster.metrics import RayMetrics

    return RayMetrics(search)


def new_record(name: str, config: SearchConfig, data: DataSummary) -> SearchRecord:
    """Give the record of a search that starts now, with the versions that it runs on."""
    versions = {"python": platform.python_version(), **{lib: version(lib) for lib in _LIBRARIES}}
    return SearchRecord(name, config, data, versions)


def refuse_taken(store: SqlStore, name: str) -> None:
    """Refuse a name that is taken before anything is started for it."""
    with suppress(LookupError):
        store.find_search(name)
        raise SearchExists(
            f"--name must be new in its database, but {name!r} is taken; "
            f"choose another, or go on with: vlga resume {shlex.quote(name)}"
        )


def enter(
    store: SqlStore,
    name: str | None,
    config: SearchConfig,
    data: DataSummary,
    *,
    stem: str | None = None,
) -> SearchRecord:
    """Enter a search; without a name it is the stem, or the data's, with the next free number."""
    stem = stem or Path(data.name).stem
    number = 1
    while True:
        record = new_record(name or f"{stem}-{number}", config, data)
        try:
            store.create_search(record)
        except SearchExists:
            if name is not None:
                raise
            number += 1
        else:
            return record


def run_search(
    record: SearchRecord,
    tenure: Tenure,
    *,
    store: SqlStore,
    evaluator: Evaluator,
    observer: TerminalObserver,
    go_on: str,
) -> tuple[Individual, Evaluation | None]:
    """Run a search that is in the store to its end, and train its winner longer.

    Whatever happens, what has ended is saved, and so are the search's status and its time. A
    database that is away is waited for, and the terminal says so.

    Args:
        record: the search as the store has it; of one that ran before, the rest is done.
        tenure: that the search is held.
        store: where it is entered.
        evaluator: trains; left open.
        observer: watches.
        go_on: the command that is printed when the search is stopped.

    Returns:
        The winner, and the outcome of its longer training, or None if there was to be none.

    Raises:
        click.Abort: on Ctrl-C, on SIGTERM, and if somebody asked for a stop.
        TooManyFailures: nothing completed, or too many failed in a row.
        StoreFailed: an outcome could not be recorded; the command to go on with is printed.
        LeaseLost: another process has taken the search over.
    """
    store.patience = Patience(_OUTAGE_SECONDS, partial(observer.console.print, markup=False))
    name, config, data = record.name, record.config, record.data
    artifacts = ArtifactFolder(ARTIFACTS / name)
    finals = store.final_trainings(name)
    watchers = tell_each(observer, _metrics(name, config.workers))
    asked_to_stop = announcing(tenure, watchers)
    engine = Search(
        name,
        config,
        data,
        evaluator=evaluator,
        store=store,
        artifacts=artifacts,
        observer=watchers,
        seconds_before=record.seconds,
        seconds_of_finals=sum(one.train_seconds for one in finals),
        asked_to_stop=asked_to_stop,
    )
    status, message = "failed", ""
    try:
        store.update_search(name, status="running", message="")
        with observer, obeying_signals(tenure):
            winner = engine.run()
            final = None
            if config.final.epochs:
                watchers(FinalStarted(winner, config.final.epochs))
                final = train_winner(
                    name,
                    winner,
                    config,
                    data,
                    evaluator=evaluator,
                    store=store,
                    artifacts=artifacts,
                    seconds=lambda: engine.elapsed_seconds,
                    asked_to_stop=asked_to_stop,
                )
        status = "completed"
    except (KeyboardInterrupt, SearchStopped):
        # Another signal while the last is being saved would lose what the first one kept.
        ignore_signals()
        status = "interrupted"
        observer.console.print(
            f"interrupted; what is finished is saved. Go on with: {escape(go_on)}"
        )
        raise click.Abort from None
    except VlgaError as error:
        message = str(error)
        if not isinstance(error, (StoreError, EvaluatorLost)) or isinstance(error, LeaseLost):
            raise
        observer.console.print(f"stopped; what is recorded is kept. Go on with: {escape(go_on)}")
        if isinstance(error, EvaluatorLost):
            raise
        raise StoreFailed(message) from error
    finally:
        watchers(Ended(status))
        with suppress(StoreError):
            store.update_search(
                name, status=status, message=message, seconds=engine.elapsed_seconds
            )
    return winner, final
