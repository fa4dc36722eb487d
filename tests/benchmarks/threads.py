"""What a second CPU thread is worth in a training: seconds of an epoch with one and with two.

``GOMP_SPINCOUNT=N python -m tests.benchmarks.threads [--set data.dir=DIR]``

Founders of two sizes on digits and on 3,000 images of Fashion-MNIST, batches of 64. How long
threads spin before they sleep is set from outside, since torch reads it when it is loaded; what
else is at work on the machine counts too.
"""

from __future__ import annotations

import argparse
import os

import workers.training.evaluate as evaluation
from tests.benchmarks.timing import print_table
from vlga.config.load import load_config
from vlga.networks.anchors import anchors
from vlga.networks.phenotype import decode
from vlga.ports.evaluator import EvaluationTask
from workers.data import load_dataset

#: Images, epochs, limits in millions of multiply-accumulates.
_TRAININGS = (("digits", 5, (1, 4)), ("fashion-mnist", 3, (2, 6)))


def main() -> None:
    """Print a row for each network: the fastest of its epochs with each number."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--set", dest="settings", action="append", default=[])
    options = parser.parse_args()
    evaluation.worthwhile_threads = lambda _macs, _batch, n_threads: n_threads
    rows = []
    for name, epochs, limits in _TRAININGS:
        own = [f"data.name={name}", f"training.epochs={epochs}", "training.batch_size=64"]
        limit = [] if name == "digits" else ["data.train_limit=3000"]
        config = load_config(settings=[*own, *limit, *options.settings])
        dataset = load_dataset(config.data)
        for millions in limits:
            shape, n_classes = dataset.input_shape, dataset.n_classes
            founder = anchors(config.space.build(), shape, n_classes, millions * 10**6)[0]
            plan = decode(founder, shape, n_classes)
            task = EvaluationTask(1, plan, config.training, 1, is_final=True)
            seconds: dict[int, list[float]] = {1: [], 2: []}
            for n in (1, 2, 1, 2):
                outcome, _ = evaluation.evaluate(task, dataset, n_threads=n)
                seconds[n] += [point.seconds for point in outcome.curve[1:]]
            one, two = (min(seconds[n]) for n in (1, 2))
            rows.append(
                {
                    "spins": os.environ["GOMP_SPINCOUNT"],
                    "data": name,
                    "MACs": f"{plan.n_macs:,}",
                    "one": f"{one:.3f}",
                    "two": f"{two:.3f}",
                    "two/one": f"{two / one:.2f}",
                }
            )
    print_table(rows)


if __name__ == "__main__":
    main()
