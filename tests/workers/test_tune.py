"""The search algorithm on a real Ray Tune: with ASHA, interrupted, killed and restored.

The trainable is anybody's: scikit-learn's networks on digits, of whatever layers they are given.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import pytest
from ray import tune
from ray.tune.schedulers import ASHAScheduler

from workers.tune_search import VLGASearch

N_TRIALS, N_EPOCHS, SIZE = 12, 4, 4
#: Trials over when the first run ends: some children have been bred by then, more have not.
N_OVER = 6


def train(config):
    """Train a network of the blocks' layers; the worker needs nothing of this project."""
    from sklearn.datasets import load_digits
    from sklearn.neural_network import MLPClassifier

    images, labels = load_digits(return_X_y=True)
    network = MLPClassifier(
        [block["width"] for block in config["blocks"]],
        activation=config["network"]["activation"],
        learning_rate_init=0.01,
        random_state=0,
    )
    for _ in range(N_EPOCHS):
        network.partial_fit(images[:1400] / 16, labels[:1400], classes=[*range(10)])
        tune.report({"accuracy": network.score(images[1400:] / 16, labels[1400:])})


class Interrupt(tune.Callback):
    """Presses Ctrl-C in the middle, and keeps what a crash at that moment would have left."""

    def __init__(self, folder: Path, crashed: Path) -> None:
        self.folder, self.crashed = folder, crashed
        self.n_over = 0

    def on_trial_complete(self, **_info):
        self.n_over += 1
        if self.n_over == N_OVER and not self.crashed.exists():  # it is restored with the rest
            shutil.copytree(self.folder, self.crashed)
            os.kill(os.getpid(), signal.SIGINT)


def state_in(folder):
    """Give the searcher's latest state."""
    return json.loads(max(folder.glob("searcher-state-*")).read_text())


def configs(state):
    """Give the configuration of every trial of a state, in the order of suggestion."""
    return {
        row["trial"]: {name: row["genome"][name] for name in ("network", "blocks")}
        for row in state["candidates"]
    }


@pytest.mark.usefixtures("cluster")
def test_a_search_that_was_cut_off_goes_on_where_it_was(tmp_path, monkeypatch):
    """Nothing is suggested twice, what was known stays known, and children of it follow."""
    monkeypatch.setenv("TUNE_GLOBAL_CHECKPOINT_S", "0")
    # Ctrl-C leaves Tune's own log files open, which is a warning in whatever test comes later.
    monkeypatch.setenv("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
    folder, crashed = tmp_path / "digits", tmp_path / "crashed"
    searcher = VLGASearch(
        {"width": [4, 8, 16, 32]},
        {"activation": ["relu", "tanh"]},
        metric="accuracy",
        mode="max",
        population_size=SIZE,
    )
    tune.Tuner(
        train,
        tune_config=tune.TuneConfig(
            metric="accuracy",
            mode="max",
            num_samples=N_TRIALS,
            search_alg=searcher,
            scheduler=ASHAScheduler(max_t=N_EPOCHS, reduction_factor=2),
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name="digits", storage_path=str(tmp_path), callbacks=[Interrupt(folder, crashed)]
        ),
    ).fit()
    stopped = state_in(folder)
    shutil.rmtree(folder)
    shutil.copytree(crashed, folder)
    before = state_in(folder)
    assert SIZE <= len(before["told"]) <= len(stopped["told"]) < N_TRIALS
    assert len(before["candidates"]) > len(before["told"])

    results = tune.Tuner.restore(str(folder), train).fit()
    after = state_in(folder)

    assert results.num_errors == 0
    assert len(results) == N_TRIALS
    tried = [json.dumps(result.config, sort_keys=True) for result in results]
    assert len({*tried}) == N_TRIALS
    assert {*tried} == {json.dumps(one, sort_keys=True) for one in configs(after).values()}
    assert after["candidates"][: len(before["candidates"])] == before["candidates"]
    assert after["told"][: len(before["told"])] == before["told"]
    assert after["outcomes"].items() >= before["outcomes"].items()
    bred = after["candidates"][len(before["candidates"]) :]
    assert any({*one["parents"]} & {*before["told"]} for one in bred)
    _check_outcomes(results, after)


def _check_outcomes(results, state):
    """Trials that ASHA stopped count, each with the last score that Tune has of it."""
    scores = {one.metrics["trial_id"]: one.metrics["accuracy"] for one in results}
    epochs = {one.metrics["trial_id"]: one.metrics["training_iteration"] for one in results}

    assert state["outcomes"] == scores
    assert 1 <= min(epochs.values()) < max(epochs.values()) == N_EPOCHS
