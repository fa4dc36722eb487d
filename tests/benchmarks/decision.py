"""What `ladder` needs to decide what is trained next, by how many networks are known.

``python -m tests.benchmarks.decision [--known 100 200 400]``

The preset `default` on images of 3x32x32, one at a time, with outcomes that hang on a network's
size and on chance, so that networks go up and the model has something to learn. A decision is
telling an outcome and asking for the next candidate; each row has the last fifty before so many are
known, once without a screen and once with one of 64 children.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from random import Random

from tests.benchmarks.timing import print_table
from vlga.app.sizes import Machine, choose_sizes
from vlga.config.load import load_config
from vlga.networks.phenotype import plan_of
from vlga.ports.data import DataSummary
from vlga.ports.evaluation import Evaluation
from vlga.strategies import Ladder

_N_TIMED = 50
_SHAPE, _N_CLASSES = (3, 32, 32), 10


def main() -> None:
    """Print a row for each number of known networks and each screen."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--known", type=int, nargs="+", default=[100, 200, 400])
    options = parser.parse_args()
    rows = []
    for screen in (1, 64):
        spent = decision_seconds(screen, max(options.known))
        for known in options.known:
            last = sorted(1000 * one for one in spent[known - _N_TIMED : known])
            rows.append(
                {
                    "screen": screen,
                    "known": known,
                    "median_ms": f"{statistics.median(last):.1f}",
                    "longest_ms": f"{last[-1]:.1f}",
                }
            )
    print_table(rows)


def decision_seconds(screen: int, n: int) -> list[float]:
    """Give the seconds of each decision until so many different networks are known."""
    classes = tuple(map(str, range(_N_CLASSES)))
    data = DataSummary("x", "0", _SHAPE, classes, n_train=8000, n_validation=2000, n_test=10_000)
    config = load_config(settings=[f"population.screen={screen}"])
    config = choose_sizes(config, data, Machine(2, has_gpu=False))
    strategy = Ladder.from_config(config, _SHAPE, _N_CLASSES)
    known: set[str] = set()
    spent: list[float] = []
    (asked,) = strategy.ask(1)
    while len(known) < n:
        plan = plan_of(asked.genome, _SHAPE, _N_CLASSES)
        luck = Random(f"{asked.fingerprint}/{asked.rung}").gauss(0, 0.05)
        fitness = min(0.99, max(0.05, 0.03 * math.log(plan.n_macs) + 0.1 * asked.rung + luck))
        outcome = Evaluation(
            asked.id, 1, 0, fitness, n_parameters=plan.n_parameters, n_macs=plan.n_macs
        )
        began = time.perf_counter()
        strategy.tell(outcome)
        (following,) = strategy.ask(1)
        if asked.fingerprint not in known:
            spent.append(time.perf_counter() - began)
        known.add(asked.fingerprint)
        asked = following
    return spent


if __name__ == "__main__":
    main()
