"""What the end of a search is best spent on: one long training, several that compete, or a mean.

``python -m tests.benchmarks.ending --seeds 3 --epochs 60 --set data.name=fashion-mnist ...``

For each seed a search of strategy `ladder`, then several ends, of as many epochs each but for the
last. An epoch on the training part alone is shorter, and is counted so. Then a row for each:

- `one`: the winner's training on all images but the test's, from its trained layers, as
  `final.epochs` has it; `one, anew`: without these layers;
- `chosen of 3`: the best three are trained for a quarter of the epochs each on the training part,
  and the one that validates best is trained on all for what is left, from its trained layers;
- `mean of 3`: the best three are trained on all for a third of the epochs each, and their
  probabilities averaged;
- `mean of 3, 3 times the epochs`: the best three are trained as long as `one` each.

One thread each. No search sees these test accuracies before it is over.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from db.store import SqlStore
from tests.benchmarks.timing import print_table
from vlga.app.sizes import Machine, choose_sizes
from vlga.config.load import load_config
from vlga.execution.artifacts import ArtifactFolder
from vlga.execution.driver import Search
from vlga.execution.run import Run
from vlga.networks.phenotype import plan_of
from vlga.ports.candidate import Individual
from vlga.ports.evaluation import Evaluation
from vlga.ports.evaluator import EvaluationTask, Weights
from vlga.ports.ledger import SearchRecord
from workers.data import Dataset, load_dataset
from workers.evaluators.inline import InlineEvaluator
from workers.inference.classifier import Classifier
from workers.networks.committee import trained_network
from workers.training.evaluate import evaluate

_SETTINGS = ("budget.seconds=none", "budget.epochs=120", "training.reuse=false")


def main() -> None:
    """Search and end each search in every way; print a row for each network and each way."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=60, help="of each end")
    parser.add_argument("--set", dest="settings", action="append", default=[])
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        with tempfile.TemporaryDirectory() as folder:
            end = _End(seed, options.settings, options.epochs, Path(folder))
            rows += [{"seed": seed, **row} for row in end.rows()]
    print_table(rows)
    ways: dict[str, list[float]] = {}
    for row in rows:
        ways.setdefault(row["way"], []).append(float(row["test"]))
    for way, found in ways.items():
        print(f"{way}: {np.mean(found):.4f}")


class _End:
    """A search that is over, and the ways to end it."""

    def __init__(self, seed: int, settings: list[str], n_epochs: int, folder: Path) -> None:
        config = load_config(settings=[*_SETTINGS, f"seed={seed}", *settings])
        self._dataset: Dataset = load_dataset(config.data)
        self._data = self._dataset.summary()
        self._config = choose_sizes(config, self._data, Machine(1, has_gpu=False))
        self._n_epochs, self._seed = n_epochs, seed
        artifacts = ArtifactFolder(folder, "x")
        with (
            closing(SqlStore(f"sqlite:///{folder}/x.db")) as store,
            closing(InlineEvaluator(self._dataset)) as evaluator,
        ):
            record = SearchRecord("x", self._config, self._data, {})
            store.create_search(record)
            search = Search(Run(record, store, artifacts, evaluator))
            self._winner = search.run()
            files = {one.candidate_id: one for one in store.artifacts("x")}
            self._best = search.best_networks(3)
            self._weights = {one.id: artifacts.load(files[one.id]) for one in self._best}
            outcomes = store.evaluations("x")
        seconds = sum(one.train_seconds for one in outcomes)
        print(f"seed {seed}: {len(outcomes)} trainings, {seconds:.0f} s; best", end="")
        for one in self._best:
            cost = f"rung {one.candidate.rung}, {one.evaluation.n_macs / 1e6:.2f} M MACs"
            print(f" #{one.id} {one.accuracy:.4f} ({cost})", end="")
        print(flush=True)

    def rows(self) -> list[dict[str, Any]]:
        """Give a row for each way to end it."""
        found: list[dict[str, Any]] = []

        def note(way: str, members: list[tuple[Evaluation, Weights]], more: float = 0.0) -> None:
            labels = self._dataset.test_labels
            answers = [
                Classifier(
                    [trained_network(self._plan(one.candidate_id), weights.data)]
                ).probabilities(self._dataset.test_images)
                for one, weights in members
            ]
            accuracy = float((np.mean(answers, 0).argmax(1) == labels).mean())
            seconds = sum(one.train_seconds for one, _ in members) + more
            macs = sum(one.n_macs for one, _ in members)
            found.append(
                {
                    "way": way,
                    "test": f"{accuracy:.4f}",
                    "MACs": f"{macs / 1e6:.2f} M",
                    "seconds": f"{seconds:.0f}",
                    "members": " ".join(
                        f"#{one.candidate_id}:{one.fitness:.4f}" for one, _ in members
                    ),
                }
            )
            print({"seed": self._seed, **found[-1]}, flush=True)

        n, winner, weights = self._n_epochs, self._winner, self._weights
        alone = self._train(winner, n, weights[winner.id])
        note("one", [alone])
        note("one, anew", [self._train(winner, n)])
        longer = [self._train(one, n // 4, weights[one.id], on_all=False) for one in self._best]
        share = self._data.n_train / (self._data.n_train + self._data.n_validation)
        n_left = n - round(3 * (n // 4) * share)
        ended = [
            self._train(one, n_left, trained)
            for one, (_, trained) in zip(self._best, longer, strict=True)
        ]
        for one, (outcome, _), (final, _) in zip(self._best, longer, ended, strict=True):
            print(
                f"  #{one.id} validation {one.accuracy:.4f}, longer {outcome.fitness:.4f}, loss "
                f"{outcome.validation_loss:.3f}; then test {final.fitness:.4f}",
                flush=True,
            )
        chosen = max(range(len(longer)), key=lambda place: longer[place][0].fitness or 0.0)
        spent = sum(outcome.train_seconds for outcome, _ in longer)
        note("chosen of 3", [ended[chosen]], spent)
        note("mean of 3", [self._train(one, n // 3, weights[one.id]) for one in self._best])
        others = [self._train(one, n, weights[one.id]) for one in self._best[1:]]
        note("mean of 3, 3 times the epochs", [alone, *others])
        return found

    def _plan(self, number: int) -> Any:
        one = next(one for one in self._best if one.id == number)
        return plan_of(one.genome, self._data.input_shape, len(self._data.classes))

    def _train(
        self,
        one: Individual,
        n_epochs: int,
        weights: Weights | None = None,
        *,
        on_all: bool = True,
    ) -> tuple[Evaluation, Weights]:
        task = EvaluationTask(
            candidate_id=one.id,
            plan=self._plan(one.id),
            training=self._config.training.model_copy(update={"epochs": n_epochs}),
            seed=1,
            weights=weights,
            is_final=on_all,
            keep_weights=True,
        )
        outcome, data = evaluate(task, self._dataset)
        assert data is not None, outcome.message
        return outcome, Weights(one.id, data)


if __name__ == "__main__":
    main()
