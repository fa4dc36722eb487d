"""What the parts of the preset `default` are worth: one network, each part alone, and all of them.

``python -m tests.benchmarks.recipe --data cifar10 --data-dir DIR [--images 5000] [--epochs 8]``

The network is the first of `vlga.networks.anchors` for these images within 16 million
multiply-accumulates. Accuracy is that on the validation images, a fifth of those given; the test
images are not looked at. The arms are trained in turn, seed by seed, on one thread.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

from tests.benchmarks.timing import print_table
from vlga.config.load import load_config
from vlga.networks.anchors import anchors
from vlga.networks.phenotype import decode
from vlga.ports.evaluator import EvaluationTask
from workers.data import load_dataset
from workers.training.evaluate import evaluate

_MAX_MACS = 2**24
_PLAIN = {"initialization": "he", "norm_bias_rate": 1.0}
_DIRAC = {"initialization": "dirac", "norm_bias_rate": 16.0}
#: By arm: the stem, and settings of the training.
_ARMS: dict[str, tuple[str, dict[str, Any]]] = {
    "neither": ("none", _PLAIN),
    "whitening stem": ("whiten", _PLAIN),
    "Dirac start, shifts at 16 times the rate": ("none", _DIRAC),
    "both": ("whiten", _DIRAC),
}


def main() -> None:
    """Train every arm with every seed and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--data-dir")
    parser.add_argument("--images", type=int, default=5000, help="validation images included")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    settings = [f"training.epochs={options.epochs}", "training.batch_size=64"]
    config = load_config(
        settings=settings,
        overrides={
            "data.name": options.data,
            "data.dir": options.data_dir,
            "data.train_limit": options.images,
        },
    )
    dataset = load_dataset(config.data)
    shape, n_classes = dataset.input_shape, dataset.n_classes
    network = anchors(config.space.build(), shape, n_classes, _MAX_MACS)[0]
    found: dict[str, list[float]] = {arm: [] for arm in _ARMS}
    seconds: dict[str, list[float]] = {arm: [] for arm in _ARMS}
    for seed in range(options.seeds):
        for arm, (stem, training) in _ARMS.items():
            plan = decode(network.with_genes({"stem": stem}), shape, n_classes)
            task = EvaluationTask(seed, plan, config.training.model_copy(update=training), seed)
            started = time.process_time()
            outcome, _ = evaluate(task, dataset)
            seconds[arm].append(time.process_time() - started)
            assert outcome.fitness is not None, outcome.message
            found[arm].append(100 * outcome.fitness)
    print_table(
        [
            {
                "arm": arm,
                "validation": f"{statistics.mean(own):.2f}",
                "each": " ".join(f"{one:.2f}" for one in own),
                "CPU seconds": f"{statistics.mean(seconds[arm]):.0f}",
            }
            for arm, own in found.items()
        ]
    )


if __name__ == "__main__":
    main()
