"""A network's latency as a search notes it, beside the same network alone: what the note is worth.

``python -m tests.benchmarks.latency [--networks 30] [--workers 2]``

Random networks of the preset `default` on digits are trained for an epoch each, several at a time
on Ray, and their latency is noted as in a search. Then nothing else runs, and that of each is
measured three more times, of which the median counts.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence

from scipy.stats import spearmanr

from tests.benchmarks.edf import configured, drawn
from tests.benchmarks.timing import print_table, report
from vlga.app.evaluators import load_data
from vlga.config.load import load_config
from vlga.networks.phenotype import plan_of
from vlga.ports.evaluator import EvaluationTask
from workers.evaluators.on_ray import RayEvaluator
from workers.networks.build import build
from workers.training.latency import measured_latency


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row for each network, the rank correlation, and how far the two differ."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", type=int, default=30)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    dataset = load_data(load_config(settings=("budget.evaluations=1",)))
    data = dataset.summary()
    config = configured("random_search", data, options.networks, options.seed)
    strategy, candidates = drawn(config, data, options.networks)
    shape, n_classes = data.input_shape, len(data.classes)
    plans = {one.id: plan_of(one.genome, shape, n_classes) for one in candidates}
    training = config.training.model_copy(update={"epochs": 1})
    noted: dict[int, float] = {}
    evaluator = RayEvaluator(dataset, n_workers=options.workers)
    for one in candidates:
        seed = strategy.training_seed(one)
        evaluator.submit(
            EvaluationTask(one.id, plans[one.id], training, seed, measure_latency=True)
        )
    while len(noted) < len(candidates):
        for ended in evaluator.wait():
            seconds = ended.evaluation.latency_seconds
            assert seconds is not None
            noted[ended.evaluation.candidate_id] = seconds
    evaluator.close()
    alone = {
        number: statistics.median(measured_latency(build(plan, 0), shape) for _ in range(3))
        for number, plan in plans.items()
    }
    print_table(
        [
            {
                "network": number,
                "MACs": f"{plans[number].n_macs:,}",
                "noted ms": f"{1000 * noted[number]:.3f}",
                "alone ms": f"{1000 * alone[number]:.3f}",
                "ratio": f"{noted[number] / alone[number]:.2f}",
            }
            for number in sorted(alone, key=lambda one: alone[one])
        ]
    )
    measured = [*alone.values()]
    ratios = sorted(noted[number] / alone[number] for number in alone)
    report(
        rank_correlation=round(spearmanr([noted[one] for one in alone], measured).statistic, 3),
        of_macs=round(spearmanr([plans[one].n_macs for one in alone], measured).statistic, 3),
        median_ratio=round(statistics.median(ratios), 3),
        least_ratio=round(ratios[0], 3),
        most_ratio=round(ratios[-1], 3),
    )


if __name__ == "__main__":
    main()
