"""A model of real trainings: strategies compared in minutes, where the trainings took hours.

    python -m tests.benchmarks.surrogate check      # how well it tells trainings it has not seen
    python -m tests.benchmarks.surrogate run        # the strategies on it

As NAS-Bench-301 (Zela et al., 2020, https://arxiv.org/abs/2008.09777): boosted trees learn what the
searches of `tests.benchmarks.peers` recorded (trainings.py), random networks and those of every
strategy. What they are told of a network is its genes, one by one, not the numbers that the model
of `ladder` sees, which would be tested by its own idea of what is alike. A training in a search is
the trees' guess with the spread that equal networks had over seeds; a search is judged by the guess
alone for the network that it would give.

The table is worth something only where the trees know networks that were left out of their
training: `check` leaves out a fifth of the networks, five times, and each strategy.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from random import Random
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import r2_score
from sklearn.model_selection import GroupKFold
from threadpoolctl import threadpool_limits

from tests.benchmarks.timing import print_table
from tests.benchmarks.trainings import INPUTS, N_CLASSES, SHAPES, numbers_of, trainings_of
from vlga.app.evaluators import load_data
from vlga.app.sizes import Machine, choose_sizes
from vlga.config.load import load_config
from vlga.config.rungs import rung_lengths, training_epochs
from vlga.config.settings import SearchConfig
from vlga.execution.budget import Budget
from vlga.execution.winner import choose_winner, known_network
from vlga.genetics.genome import Genome
from vlga.networks.layers import Shape
from vlga.networks.phenotype import decode
from vlga.ports.candidate import Candidate
from vlga.ports.data import DataSummary
from vlga.ports.evaluation import Evaluation, FailureReason
from vlga.strategies import make_strategy

N_TRAIN, N_VALIDATION = 2400, 600
#: What `tests.benchmarks.peers` sets, as far as a strategy sees it.
SETTINGS = (
    "training.epochs=9",
    "training.batch_size=64",
    "final.epochs=0",
    "budget.seconds=none",
    "limits.max_macs=4_000_000",
    "limits.max_activation_bytes=8_000_000",
)
#: Fewest failed trainings from which a model of failures is made.
_MIN_FAILURES = 20


@dataclass(slots=True)
class Model:
    """What trees have learnt of trainings.

    Attributes:
        noise: standard deviation over seeds of the accuracy of equal networks, by epochs.
    """

    trees: HistGradientBoostingRegressor
    failures: HistGradientBoostingClassifier | None
    noise: dict[int, float]
    _known: dict[tuple[str, int, int], tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: pd.DataFrame) -> Model:
        """Learn from trainings."""
        failed = rows["accuracy"].isna()
        completed = rows[~failed]
        trees = HistGradientBoostingRegressor(
            max_iter=400, learning_rate=0.05, max_leaf_nodes=16, min_samples_leaf=8,
            l2_regularization=1.0, random_state=0,
        )  # fmt: skip
        failures = HistGradientBoostingClassifier(max_iter=100, max_leaf_nodes=8, random_state=0)
        with _one_thread():
            trees.fit(_inputs(completed), _error(completed["accuracy"]))
            if failed.sum() < _MIN_FAILURES:
                return cls(trees, None, _noise(completed))
            failures.fit(_inputs(rows), failed)
        return cls(trees, failures, _noise(completed))

    def predict(self, rows: pd.DataFrame) -> Any:
        """Give the accuracies of trainings."""
        with _one_thread():
            return 1 - np.exp(self.trees.predict(_inputs(rows)))

    def guess(self, genome: Genome, shape: Shape, epochs: int, trainings: int) -> tuple[float, ...]:
        """Give a training's accuracy and how likely it is to fail, both in [0, 1]."""
        key = (decode(genome, shape, N_CLASSES).fingerprint, epochs, trainings)
        if key not in self._known:
            numbers = {**numbers_of(genome, shape), "epochs": epochs, "trainings": trainings}
            row = pd.DataFrame([numbers], columns=[*INPUTS])
            with _one_thread():
                fails = 0.0 if self.failures is None else self.failures.predict_proba(row)[0, 1]
            self._known[key] = (float(self.predict(row)[0]), float(fails))
        return self._known[key]

    def train(self, candidate: Candidate, config: SearchConfig, shape: Shape) -> Evaluation:
        """Give the outcome of a candidate's training."""
        assert isinstance(candidate.genome, Genome)
        epochs = rung_lengths(config)[candidate.rung]
        trainings = candidate.rung + 1 if config.training.inherit_weights else 1
        accuracy, fails = self.guess(candidate.genome, shape, epochs, trainings)
        luck = Random(f"{config.seed}/{candidate.fingerprint}/{candidate.rung}")
        outcome = Evaluation(candidate.id, epochs, config.seed, None, FailureReason.DIVERGED)
        if luck.random() < fails:
            return outcome
        noisy = accuracy + luck.gauss(0, self.noise[epochs])
        plan = decode(candidate.genome, shape, N_CLASSES)
        seen = round(N_VALIDATION * min(1.0, max(0.0, noisy))) / N_VALIDATION
        return replace(
            outcome, fitness=seen, reason=None, n_macs=plan.n_macs, n_parameters=plan.n_parameters,
            validation_loss=1 - noisy,
        )  # fmt: skip


def _one_thread() -> threadpool_limits:
    """Keep the trees to one: several take thirty times as long beside anything else that runs."""
    return threadpool_limits(1, "openmp")


def _inputs(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[[*INPUTS]].astype(float).fillna(-1.0)


def _error(accuracies: pd.Series[float]) -> Any:
    """Give the logarithm of the error: a tenth less is as much anywhere."""
    return np.log(1.001 - accuracies)


def _noise(rows: pd.DataFrame) -> dict[int, float]:
    """Pool the variances over seeds of equal networks, by epochs."""
    one_each = rows.groupby(["network", "epochs", "trainings", "seed"])["accuracy"].mean()
    groups = one_each.groupby(["network", "epochs", "trainings"]).agg(["var", "count"])
    groups = groups[groups["count"] > 1].reset_index()
    weighed = groups.assign(sum=groups["var"] * (groups["count"] - 1), n=groups["count"] - 1)
    pooled = weighed.groupby("epochs")[["sum", "n"]].sum()
    by_epochs: dict[Any, float] = (pooled["sum"] / pooled["n"]).to_dict()
    return {1: 0.02, 3: 0.015, 9: 0.01} | {
        epochs: math.sqrt(variance) for epochs, variance in by_epochs.items()
    }


def check(data: str) -> None:
    """Print how well trees tell the accuracies of networks that they have not seen."""
    rows = trainings_of(data)
    n_networks, n_failed = rows["network"].nunique(), int(rows["accuracy"].isna().sum())
    print(f"{data}: {len(rows)} trainings of {n_networks} networks, {n_failed} failed")
    noise = Model.of(rows).noise
    print("  noise over seeds: " + ", ".join(f"{n} epochs {by:.4f}" for n, by in noise.items()))
    rows = rows[rows["accuracy"].notna()]
    folds = GroupKFold(5, shuffle=True, random_state=0).split(rows, groups=rows["network"])
    guesses = pd.concat(
        pd.Series(Model.of(rows.iloc[train]).predict(rows.iloc[test]), rows.index[test])
        for train, test in folds
    ).sort_index()
    found = [_agreement("a fifth of the networks", rows, guesses)]
    for name, own in rows.groupby("strategy"):
        others = rows[(rows["strategy"] != name) & ~rows["network"].isin(own["network"])]
        guesses = pd.Series(Model.of(others).predict(own), own.index)
        found.append(_agreement(str(name), own, guesses))
    print_table(found)


def _agreement(left_out: str, rows: pd.DataFrame, guesses: pd.Series[float]) -> dict[str, str]:
    """Compare guesses with what was, of all lengths and of each."""
    row = {"left out": left_out, "trainings": str(len(rows))}
    by_epochs = ((str(n), rows[rows["epochs"] == n]) for n in (1, 3, 9))
    for name, chosen in [("all", rows), *by_epochs]:
        cell = "-"
        if len(chosen) > 2:
            own = guesses.loc[chosen.index]
            tau = stats.kendalltau(chosen["accuracy"], own).statistic
            r2 = r2_score(chosen["accuracy"], own)
            cell = f"{r2:.2f} {tau:.2f}"
        row[f"{name} epochs: R2, tau"] = cell
    return row


@cache
def summary_of(data: str) -> DataSummary:
    digits = load_data(load_config()).summary()
    return replace(
        digits, name=data, input_shape=SHAPES[data], n_train=N_TRAIN, n_validation=N_VALIDATION
    )


def configured(data: str, settings: Sequence[str], seed: int, epochs: int) -> SearchConfig:
    """Give the configuration of one search."""
    config = load_config(
        settings=[*SETTINGS, *settings], overrides={"seed": seed, "budget.epochs": epochs}
    )
    return choose_sizes(config, summary_of(data), Machine(1, has_gpu=False))


def search(model: Model, config: SearchConfig, data: DataSummary) -> float:
    """Run one search on the model; give what its network is worth by the guess alone."""
    shape, lengths = data.input_shape, rung_lengths(config)
    strategy, budget = make_strategy(config, shape, N_CLASSES), Budget(config, lambda: 0.0)
    known: dict[tuple[str, int], Evaluation] = {}
    while not budget.spent:
        asked = strategy.ask(1, budget.affordable_epochs)
        if not asked:
            break
        (one,) = asked
        key = (one.fingerprint, one.rung)
        if key not in known:
            known[key] = model.train(one, config, shape)
            budget.start(training_epochs(config, one.rung))
        strategy.tell(replace(known[key], candidate_id=one.id))
    winner = choose_winner(
        strategy.finalists, data.n_validation, known=known_network(config, data)
    ).candidate.genome
    assert isinstance(winner, Genome)
    return model.guess(winner, shape, lengths[-1], 1)[0]


#: Strategies, each with its settings.
_ARMS: dict[str, tuple[str, ...]] = {
    "ladder": ("strategy=ladder",),
    "ladder, one rung": ("strategy=ladder", "population.rungs=1"),
    "ladder, screen 64": ("strategy=ladder", "population.screen=64"),
    "optuna_tpe": ("strategy=optuna_tpe",),
    "optuna_tpe_asha": ("strategy=optuna_tpe_asha",),
    "regularized_evolution": ("strategy=regularized_evolution", "population.size=12"),
    "one_epoch_then_best": ("strategy=one_epoch_then_best",),
    "random_search": ("strategy=random_search",),
}


def run(data: str, options: argparse.Namespace) -> None:
    """Print what each strategy finds, by the model, with its standard error over seeds."""
    model, summary = Model.of(trainings_of(data)), summary_of(data)
    for arm in options.arms:
        settings = (*_ARMS[arm], f"population.founders={options.founders}")
        for epochs in options.epochs:
            configs = [configured(data, settings, seed, epochs) for seed in range(options.seeds)]
            found = [100 * search(model, config, summary) for config in configs]
            mean, error = statistics.fmean(found), stats.sem(found)
            row = f"{mean:7.2f} ± {error:.2f}  worst {min(found):.2f}"
            print(f"{data:14} {arm:24} {epochs:4} epochs {row}", flush=True)


def main() -> None:
    """Check or run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["check", "run"])
    parser.add_argument("--data", default="fashion-mnist", choices=[*SHAPES])
    parser.add_argument("--epochs", type=int, nargs="+", default=[80, 240])
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--founders", default="auto", choices=["auto", "[]"])
    parser.add_argument("--arms", nargs="*", default=[*_ARMS], choices=[*_ARMS])
    options = parser.parse_args()
    if options.what == "check":
        check(options.data)
    else:
        run(options.data, options)


if __name__ == "__main__":
    main()
