"""Which networks of a search are best in the end, and what had told so before.

``python -m tests.benchmarks.ranking SEARCH ID ID ... [--db URL] [--epochs 3 9 18] [--final 40]``

Each network is trained anew for each number of epochs, and tested beside its validation, which no
search does; then for the final epochs on all images but the test's. One thread each, seed 1. The
last line has the rank correlations (Spearman) with the final test accuracy.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from dataclasses import replace
from typing import Any

from scipy.stats import spearmanr

from db.store import SqlStore
from tests.benchmarks.timing import print_table
from vlga.networks.phenotype import plan_of
from vlga.ports.evaluation import Evaluation
from vlga.ports.evaluator import EvaluationTask
from workers.data import Dataset, load_dataset
from workers.training.evaluate import evaluate


def main() -> None:
    """Train, and print a row for each network."""
    parser = argparse.ArgumentParser()
    parser.add_argument("search")
    parser.add_argument("ids", type=int, nargs="+")
    parser.add_argument("--db", default="sqlite:///vlga.db")
    parser.add_argument("--epochs", type=int, nargs="+", default=[3, 9, 18])
    parser.add_argument("--final", type=int, default=40)
    options = parser.parse_args()
    with closing(SqlStore(options.db, create=False)) as store:
        record, candidates = store.find_search(options.search), store.candidates(options.search)
    dataset, training = load_dataset(record.config.data), record.config.training
    rows: list[dict[str, Any]] = []
    finals: list[float] = []
    for number in options.ids:
        plan = plan_of(candidates[number].genome, record.data.input_shape, dataset.n_classes)
        task = EvaluationTask(number, plan, training, 1)
        row: dict[str, Any] = {"id": number, "MACs": plan.n_macs, "parameters": plan.n_parameters}
        for n_epochs in options.epochs:
            found = _trained(replace(task, score_test=True), n_epochs, dataset)
            row |= {
                f"validation {n_epochs}": found.fitness,
                f"test {n_epochs}": found.test_accuracy,
            }
        final = _trained(replace(task, is_final=True), options.final, dataset).fitness
        assert final is not None
        finals.append(final)
        rows.append({**row, f"final test {options.final}": final})
        print(rows[-1], flush=True)
    print_table([{key: _text(value) for key, value in row.items()} for row in rows])
    for key in [*rows[0]][1:-1]:
        found = spearmanr([row[key] for row in rows], finals).statistic
        print(f"{key}: rank correlation with the final test accuracy {found:.2f}")


def _trained(task: EvaluationTask, n_epochs: int, dataset: Dataset) -> Evaluation:
    training = task.training.model_copy(update={"epochs": n_epochs})
    outcome, _ = evaluate(replace(task, training=training), dataset)
    assert outcome.completed, outcome.message
    return outcome


def _text(value: float) -> str:
    return f"{value:.4f}" if isinstance(value, float) else f"{value:,}"


if __name__ == "__main__":
    main()
