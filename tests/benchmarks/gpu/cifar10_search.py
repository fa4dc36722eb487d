"""What a search finds on CIFAR-10 in seven minutes, and where they went; or a ResNet-18 by hand.

    python -m tests.benchmarks.gpu.cifar10_search --data-dir DIR             # the search
    python -m tests.benchmarks.gpu.cifar10_search --data-dir DIR --by-hand   # ResNet-18

Minutes of a card: 7 for either, start and longer training included, and half a minute to spare.
The next occasion takes the next seed. Both arms see the same images and the same split, and the
test images once, at the end; neither uses test-time augmentation.

Parts of a search's time, from the call of the command to its return:

- ``start``: until the first training begins: Python, the images, Ray, and torch in the workers.
  Nothing is probed: how fast a machine is follows from its kind (`vlga.app.sizes`);
- ``search``: until the last of its trainings ends;
- ``final``: the winner's longer training;
- ``end``: until the command has returned.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pandas as pd

from tests.benchmarks.gpu.occasion import SMALL_SEARCH, Occasion, arguments, percent, sets, vlga


def main(words: Sequence[str] | None = None) -> None:
    """Search, or train by hand, and print what came out."""
    parser = arguments(__doc__, minutes=7.5)
    parser.add_argument("--seconds", type=float, default=420, help="budget of the search")
    parser.add_argument("--by-hand", action="store_true", help="train ResNet-18 instead")
    parser.add_argument("--seed", type=int, help="the next one if not given")
    options = parser.parse_args(words)
    seed = _next_seed(options) if options.seed is None else options.seed
    now = Occasion.begin("cifar10_search", options, words, str(seed))
    if options.by_hand:
        from tests.benchmarks.gpu.by_hand import train_by_hand

        seconds = min(options.seconds, now.seconds_left)
        model = "small_resnet_16" if now.is_small else "resnet18"
        now.show([train_by_hand(now, model, seed, seconds)])
        return
    _search(now, seed, min(options.seconds, now.seconds_left))
    now.keep_rows(now.searches())


def _next_seed(options: argparse.Namespace) -> int:
    """Give the first seed that has no search yet."""
    taken = Occasion("cifar10_search", options.out, 0.0, options.small, None).searches()
    return next(seed for seed in count() if _name(seed) not in taken)


def _name(seed: int) -> str:
    return f"cifar10-{seed}"


def _search(now: Occasion, seed: int, seconds: float) -> None:
    """Search as a user does, and tell what the time went into."""
    name = _name(seed)
    called = datetime.now(UTC)
    told = vlga(
        "search",
        *now.data("cifar10"),
        *("--db", now.url, "--name", name, "--seed", str(seed), "--format", "json"),
        # The target is one without test-time augmentation.
        *sets("final.average_mirrored=false", f"budget.seconds={seconds:.0f}"),
        *sets(*(SMALL_SEARCH if now.is_small else ())),
    )
    returned = datetime.now(UTC)
    shown = json.loads(told)
    best, counts = shown["best"], shown["evaluations"]
    now.show(
        [
            {
                "search": name,
                "test_%": percent(best["test_accuracy"]),
                "standard_error": percent(best["test_standard_error"]),
                "validation_%": percent(best["fitness"]),
                "winner": best["id"],
                "parameters": best["parameters"],
                "trained": counts["completed"],
                "failed": counts["failed"],
            }
        ]
    )
    from db import frames

    rows = frames.evaluations(now.url, name)
    rungs = frames.population(now.url, name).set_index("id")["rung"]
    now.show(_parts(rows, called, returned))
    now.show(_trainings(rows[~rows["reused"]], rungs))


def _parts(rows: pd.DataFrame, called: datetime, returned: datetime) -> list[dict[str, Any]]:
    """Give the parts of a search's time, in order, as they stand in the script's docstring."""
    searched, final = rows[~rows["is_final"]], rows[rows["is_final"]]
    took = pd.to_timedelta(searched["train_seconds"].astype(float), unit="s").dt.ceil("us")
    began = (searched["finished_at"] - took).min().to_pydatetime()
    ended = searched["finished_at"].max().to_pydatetime()
    tested = ended if final.empty else final["finished_at"].max().to_pydatetime()
    moments = {"start": began, "search": ended, "final": tested, "end": returned}
    whole, before, parts = returned - called, called, []
    for part, until in moments.items():
        took_part = max(timedelta(), until - before)
        parts.append(
            {
                "part": part,
                "seconds": f"{took_part.total_seconds():.1f}",
                "share_%": f"{100 * (took_part / whole):.1f}",
            }
        )
        before = until
    parts.append({"part": "all", "seconds": f"{whole.total_seconds():.1f}", "share_%": "100.0"})
    return parts


def _trainings(rows: pd.DataFrame, rungs: pd.Series[int]) -> list[dict[str, Any]]:
    """Give what was trained, by rung, and how long it took."""
    kind = rows["candidate_id"].map(rungs).map("rung {}".format).where(~rows["is_final"], "final")
    return [
        {
            "trainings": name,
            "number": len(some),
            "failed": int((some["status"] == "failed").sum()),
            "epochs": int(some["epochs"].max()),
            "mean_seconds": f"{some['train_seconds'].mean():.2f}",
            "all_seconds": f"{some['train_seconds'].sum():.1f}",
            "best": percent(None if some["fitness"].isna().all() else some["fitness"].max()),
            "peak_MiB": int(some["peak_memory_bytes"].max() or 0) >> 20,
        }
        for name, some in rows.groupby(kind.rename("kind"))
    ]


if __name__ == "__main__":
    main()
