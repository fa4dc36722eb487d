"""What gets the events of every search besides the search's own observer.

A listener is a function of a search that is about to run, by its record and the store that it is
entered in, and gives an observer. Write it here and add it to `_LISTENERS`; nothing else needs to
know it.
"""

from __future__ import annotations

from importlib import util
from pathlib import Path

from db.store import SqlStore
from vlga.app.live import ProgressWriter
from vlga.config.settings import SearchConfig
from vlga.errors import ConfigError
from vlga.ports.ledger import SearchRecord
from vlga.ports.observer import Observer, ignore, tell_each

__all__ = ["listening", "require_tools"]


def listening(record: SearchRecord, store: SqlStore) -> Observer:
    """Give an observer that tells every listener of a search."""
    return tell_each(*(listener(record, store) for listener in _LISTENERS))


def require_tools(config: SearchConfig) -> None:
    """Refuse a tool that is to be told of trainings, and is not installed.

    Raises:
        ConfigError: so it is.
    """
    if config.tracking.mlflow is not None and util.find_spec("mlflow") is None:
        raise ConfigError(
            "[tracking] mlflow must have MLflow's client, but mlflow is not installed; "
            "run: pip install 'vlga[mlflow]'"
        )


def _prometheus(record: SearchRecord, _store: SqlStore) -> Observer:
    """Count in Ray's own metrics, if the search runs on Ray."""
    if record.config.workers.inline:
        return ignore
    from workers.cluster.metrics import RayMetrics

    return RayMetrics(record.name)


def _progress(record: SearchRecord, store: SqlStore) -> Observer:
    """Tell the database where the search stands, for whoever watches it from elsewhere."""
    return ProgressWriter(record.name, store)


def _tensorboard(record: SearchRecord, _store: SqlStore) -> Observer:
    """Write files for TensorBoard, if a folder is set."""
    folder = record.config.tracking.tensorboard
    if folder is None:
        return ignore
    from vlga.app.tracking.background import Tracker
    from vlga.app.tracking.tensorboard import tensorboard_writer

    return Tracker("TensorBoard", tensorboard_writer(Path(folder), record.name))


def _mlflow(record: SearchRecord, _store: SqlStore) -> Observer:
    """Tell MLflow, if it is set where."""
    uri = record.config.tracking.mlflow
    if uri is None:
        return ignore
    from vlga.app.tracking.background import Tracker
    from vlga.app.tracking.mlflow import mlflow_writer

    return Tracker("MLflow", mlflow_writer(uri, record.name))


_LISTENERS = (_prometheus, _progress, _tensorboard, _mlflow)
