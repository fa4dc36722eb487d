"""A share of the budget for `ladder`, all of it for its peers: who finds the better network?

``python -m tests.benchmarks.peers --db URL --seeds 8 --set data.name=fashion-mnist ...``

Two comparisons (`vlga compare`) in one database, one training at a time on one thread: `ladder`
with a third of the epochs, and Optuna's TPE, TPE with successive halving, regularized evolution and
one-epoch-then-best with all of them. Space, trainer, limits, seeds, known networks and the winner's
longer training are the same for all. The same command goes on after an interruption and adds seeds.

Then for each peer the difference of the winners' test accuracies in pairs of the same seed, with
its 95 % interval by Student's t. `ladder` is not clearly worse than a peer if the lower end is
above -0.3 points.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from typing import Any

from scipy import stats

from db import frames
from tests.benchmarks.timing import print_table
from vlga.report.paired import paired_difference

_PEERS = ("optuna_tpe", "optuna_tpe_asha", "regularized_evolution", "one_epoch_then_best")
_SETTINGS = (
    "data.train_limit=3000",
    "training.epochs=9",
    "training.reuse=false",
    "final.epochs=30",
    "limits.max_macs=4_000_000",
    "limits.max_activation_bytes=8_000_000",
)


def main() -> None:
    """Run what is missing, then print a row for each strategy and each peer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--db", required=True, help="URL of the database, which keeps all searches")
    parser.add_argument("--name", default="peers", help="of the two comparisons, as a prefix")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=240, help="of each peer's search")
    parser.add_argument("--share", type=int, default=3, help="as many times fewer for ladder")
    parser.add_argument("--set", dest="settings", action="append", default=[])
    options = parser.parse_args()
    small = f"{options.name}-{options.share}"
    for seeds in range(1, options.seeds + 1):  # both after each seed, so that what there is is even
        _compare(options, small, ("ladder",), options.epochs // options.share, seeds)
        _compare(options, options.name, _PEERS, options.epochs, seeds)
    tests = {"ladder": _tests(options, small, "ladder")}
    tests |= {peer: _tests(options, options.name, peer) for peer in _PEERS}
    print_table([{"strategy": name, **_summary(found)} for name, found in tests.items()])
    print()
    print_table([{"ladder_minus": peer, **_gap(tests["ladder"], tests[peer])} for peer in _PEERS])


def _compare(
    options: argparse.Namespace, name: str, strategies: tuple[str, ...], epochs: int, seeds: int
) -> None:
    """Run one comparison; searches that are complete are not run again."""
    words = [sys.executable, "-m", "vlga", "compare", "--inline", "--db", options.db]
    words += ["--name", name, "--strategies", ",".join(strategies), "--seeds", str(seeds)]
    words += ["--budget", f"epochs={epochs}"]
    for setting in (*_SETTINGS, *options.settings):
        words += ["--set", setting]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            words, cwd=folder, check=True, stdout=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip


def _tests(options: argparse.Namespace, name: str, strategy: str) -> list[float]:
    """Give the winners' test accuracies in percent, by seed from 0."""
    found = []
    for seed in range(options.seeds):
        rows = frames.evaluations(options.db, f"{name}-{strategy}-{seed}")
        found.append(100 * float(rows.loc[rows["is_final"], "test_accuracy"].iloc[-1]))
    return found


def _summary(tests: list[float]) -> dict[str, str]:
    error = stats.sem(tests) if len(tests) > 1 else float("nan")
    by_seed = " ".join(f"{one:.2f}" for one in tests)
    return {"test": f"{sum(tests) / len(tests):.2f}", "error": f"{error:.2f}", "by_seed": by_seed}


def _gap(mine: list[float], theirs: list[float]) -> dict[str, Any]:
    paired = paired_difference([one - other for one, other in zip(mine, theirs, strict=True)])
    if paired.standard_error is None:
        return {"mean": f"{paired.mean:+.2f}", "low": "-", "high": "-"}
    reach = stats.t.ppf(0.975, paired.n_pairs - 1) * paired.standard_error
    ends = {"low": paired.mean - reach, "high": paired.mean + reach}
    return {"mean": f"{paired.mean:+.2f}", **{key: f"{end:+.2f}" for key, end in ends.items()}}


if __name__ == "__main__":
    main()
