"""TensorBoard's and MLflow's own readers find what a search has trained."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import pytest
from mlflow import MlflowClient
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from db.store import SqlStore
from tests.support.command import SMALL, vlga, vlga_in

#: MLflow's own store uses what this SQLAlchemy deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a search of which both tools were told."""
    folder = tmp_path_factory.mktemp("tracked")
    told = vlga_in(
        folder, "search", *SMALL, "--name", "mine",
        "--set", "tracking.tensorboard=runs", "--set", "tracking.mlflow=sqlite:///mlflow.db",
    )  # fmt: skip
    assert told.code == 0, told.err
    assert "is told no more" not in told.err
    return folder


def trained(folder: Path) -> dict[str, float]:
    """Give the fitness of each training by its name as a run."""
    with closing(SqlStore(f"sqlite:///{folder}/vlga.db")) as store:
        ended = {str(one.candidate_id): one.fitness for one in store.evaluations("mine")}
        finals = store.final_trainings("mine")
    return ended | {f"{one.candidate_id}-final": one.fitness for one in finals}


def test_tensorboard_reads_curves_and_hyperparameters(tracked):
    """Each training is a run; its hyperparameters are those of the plugin for them."""
    expected = trained(tracked)
    runs = {path.name for path in (tracked / "runs" / "mine").iterdir()}
    assert runs == expected.keys()
    assert len(runs) == 3

    for name, fitness in expected.items():
        read = EventAccumulator(str(tracked / "runs" / "mine" / name))
        read.Reload()
        assert [one.value for one in read.Scalars("fitness")] == pytest.approx([fitness])
        assert [one.step for one in read.Scalars("train_loss")] == [0]
        about = read.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
        genes = HParamsPluginData.FromString(about).session_start_info.hparams
        assert genes["epochs"].number_value == 1
        assert "blocks.0.channels_a" in genes


def test_mlflow_reads_each_training_as_a_run(tracked):
    """The search is an experiment."""
    client = MlflowClient(tracking_uri=f"sqlite:///{tracked}/mlflow.db")
    experiment = client.get_experiment_by_name("mine")
    runs = {one.info.run_name: one for one in client.search_runs([experiment.experiment_id])}

    assert {name: one.data.metrics["fitness"] for name, one in runs.items()} == trained(tracked)
    for one in runs.values():
        assert one.info.status == "FINISHED"
        assert one.data.params["epochs"] == "1"
        assert "learning_rate" in one.data.params
        curve = client.get_metric_history(one.info.run_id, "train_loss")
        assert [point.step for point in curve] == [0]


def test_a_tool_that_fails_is_said_once_and_costs_no_search(tmp_path, monkeypatch):
    """A file stands where TensorBoard's folder would, and no MLflow is such an address."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").write_text("")
    told = vlga(
        "search", *SMALL, "--name", "mine",
        "--set", "tracking.tensorboard=runs", "--set", "tracking.mlflow=nothing://like-this",
    )  # fmt: skip

    assert told.code == 0
    for tool in ("TensorBoard", "MLflow"):
        assert told.err.count(f"{tool} is told no more, as it failed: ") == 1


def test_a_tool_that_is_not_installed_is_named(tmp_path, monkeypatch):
    """With the way out, and nothing is entered."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "mlflow", None)
    told = vlga("search", *SMALL, "--set", "tracking.mlflow=sqlite:///mlflow.db")

    assert (told.code, told.out) == (2, "")
    assert told.err.splitlines()[-1] == (
        "vlga: [tracking] mlflow must have MLflow's client, but mlflow is not installed; "
        "run: pip install 'vlga[mlflow]'"
    )
    assert vlga("list", "--format", "json").json == []
