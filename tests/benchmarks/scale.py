"""How busy a driver keeps up to 1,000 workers, and how many it could feed.

``python -m tests.benchmarks.scale [--workers 16,100,1000] [--sigmas 0.8,1.2] [--median 60]``

A discrete-event simulation of the workers (simulation.py) with the real driver, strategies and
store: an SQLite file, on the disk before the strategy hears of anything. Trainings take log-normal
times. `steady_state` has a population of 100 and ten trainings for each worker; `variable_length`
has as many networks in a generation as there are workers, or four times as many, and two phases. In
a row:

- *r*: correlation of a training's time with its network's multiply-accumulates, of both the
  logarithm; in real searches on digits and Fashion-MNIST it was 0.7 to 0.9. With 0 the driver
  cannot know who will be late; `steady_state` does not ask;
- *busy %*: share of all workers' time spent in training from the first start to the moment when
  the last training starts; after that nothing is left that an idle worker could do;
- *driver ms*: CPU time of the driver for an evaluation, from the strategy to the ledger, and as
  *wall ms* with the waiting for the disk; that is what a worker waits for;
- *a second*: evaluations that it decides, records and tells in a second of CPU time;
- *feeds*: workers that it keeps busy at that rate, with trainings of these durations.

The last two rows: a driver that writes and reads inherited weights of 400 kB for every training,
and one of which the workers want more than it can decide.
"""

from __future__ import annotations

import argparse
from typing import Any

from tests.benchmarks.searching import run_search
from tests.benchmarks.simulation import SimulatedEvaluator, busy_share, log_normal
from tests.benchmarks.timing import print_table, report
from tests.support.records import DATA

_SEED = 0
_TRAININGS_PER_WORKER = 10
#: Correlation of time and cost of the third generational row.
_BY_COST = 0.8
#: Median seconds of trainings too short for one driver.
_TOO_SHORT = 0.5


def simulate(
    n_workers: int,
    median: float,
    sigma: float,
    settings: tuple[str, ...],
    *,
    by_cost: float = 0.0,
    n_weight_bytes: int = 0,
) -> dict[str, Any]:
    """Run one search and give its row."""
    duration = log_normal(median, sigma, by_cost, _SEED)
    evaluator = SimulatedEvaluator(n_workers, duration, n_weight_bytes)
    run = run_search(
        evaluator,
        DATA,
        f"seed={_SEED}",
        "budget.seconds=1e12",
        "population.stop_margin=1",
        f"training.inherit_weights={str(n_weight_bytes > 0).lower()}",
        *settings,
        clock=evaluator.clock,
    )
    trainings = evaluator.trainings
    n, seconds = len(trainings), sum(one.end - one.start for one in trainings)
    return {
        "workers": n_workers,
        "median": median,
        "sigma": sigma,
        "r": by_cost,
        "strategy": run.config.strategy,
        "population": run.config.population.size,
        "weights kB": n_weight_bytes // 1000,
        "trainings": n,
        "busy %": round(100 * busy_share(trainings, n_workers), 2),
        "driver ms": round(1000 * run.cpu_seconds / n, 2),
        "wall ms": round(1000 * run.wall_seconds / n, 2),
        "a second": round(n / run.cpu_seconds),
        "feeds": round(seconds / run.cpu_seconds),
    }


def main() -> None:
    """Simulate each case and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", default="16,100,1000")
    parser.add_argument("--sigmas", default="0.8,1.2")
    parser.add_argument("--median", type=float, default=60.0, help="in seconds")
    options = parser.parse_args()
    numbers = [int(one) for one in options.workers.split(",")]
    sigmas = [float(one) for one in options.sigmas.split(",")]
    rows = []
    for n in numbers:
        for sigma in sigmas:
            case = (n, options.median, sigma)
            rows.append(simulate(*case, _steady(n)))
            rows.append(simulate(*case, _generational(4 * n)))
        case = (n, options.median, sigmas[0])
        rows.append(simulate(*case, _generational(n)))
        rows.append(simulate(*case, _generational(4 * n), by_cost=_BY_COST))
    n, sigma = numbers[-1], sigmas[0]
    rows.append(simulate(n, options.median, sigma, _steady(n), n_weight_bytes=400_000))
    rows.append(simulate(n, _TOO_SHORT, sigma, _steady(n)))
    print_table(rows)
    report(benchmark="scale", rows=rows)


def _steady(n_workers: int) -> tuple[str, ...]:
    n = _TRAININGS_PER_WORKER * n_workers
    return "strategy=steady_state", "population.size=100", f"budget.evaluations={n}"


def _generational(size: int) -> tuple[str, ...]:
    return "strategy=variable_length", f"population.size={size}", "budget.phases=2"


if __name__ == "__main__":
    main()
