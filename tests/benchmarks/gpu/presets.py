"""The published algorithm beside ours, at equal minutes: `xiao2020` and `default` on CIFAR-10.

    python -m tests.benchmarks.gpu.presets --data-dir DIR

Minutes of a card: 8.5, a half for each preset, start and longer training included. The next
occasion takes the next seed, and the table has those of all occasions. `xiao2020` has no limits of
its own: its 512 channels and kernels of 9 would take all the time of such a short search, so it
gets those of `_LIMITS`, and is first for even seeds.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import count
from typing import Any

from tests.benchmarks.gpu.occasion import SMALL_SEARCH, Occasion, arguments, percent, sets, vlga

_PRESETS = ("xiao2020", "default")
#: As ResNet-18 has it, in MACs an image, and bytes of its feature maps.
_LIMITS = ("limits.max_macs=600_000_000", "limits.max_activation_bytes=60_000_000")
_SMALL_PHASES = ("population.generations=1", "budget.phases=1")
#: Seconds that a search takes beyond its budget at most: Python's start, and its end.
_BEYOND = 12.0


def main(words: Sequence[str] | None = None) -> None:
    """Run one search of each preset, and print all of the ledger."""
    parser = arguments(__doc__, minutes=8.5)
    parser.add_argument("--seed", type=int, help="the next one if not given")
    options = parser.parse_args(words)
    done = Occasion("presets", options.out, 0.0, options.small, None).searches()
    seed = options.seed
    if seed is None:
        seed = next(one for one in count() if not _names(one) <= done.keys())
    now = Occasion.begin("presets", options, words, str(seed))
    seconds = max(1.0, now.seconds_left / len(_PRESETS) - _BEYOND)
    for one in _names(seed) & done.keys():  # the other of the pair had no time on its occasion
        seconds = done[one]["config"]["budget"]["seconds"]
    for preset in _PRESETS if seed % 2 == 0 else _PRESETS[::-1]:
        if f"{preset}-{seed}" not in done:
            _search(now, preset, seed, seconds)
    found = now.searches()
    now.show([_row(one) for one in found.values()])
    now.show(_means(found))
    now.keep_rows(found)


def _names(seed: int) -> set[str]:
    return {f"{preset}-{seed}" for preset in _PRESETS}


def _search(now: Occasion, preset: str, seed: int, seconds: float) -> None:
    limits = _LIMITS if preset == "xiao2020" else ()
    small = [one for one in SMALL_SEARCH if preset == "default" or "rungs" not in one]
    if preset == "xiao2020":
        small += _SMALL_PHASES
    vlga(
        *("search", "--preset", preset, *now.data("cifar10")),
        *("--db", now.url, "--name", f"{preset}-{seed}", "--seed", str(seed)),
        *sets(f"budget.seconds={seconds:.0f}", *limits, *(small if now.is_small else ())),
    )


def _row(shown: dict[str, Any]) -> dict[str, Any]:
    best, counts = shown["best"] or {}, shown["evaluations"]
    return {
        "search": shown["name"],
        "test_%": percent(best.get("test_accuracy")),
        "validation_%": percent(best.get("fitness")),
        "parameters": best.get("parameters"),
        "trained": counts["completed"],
        "failed": counts["failed"],
        "seconds": f"{shown['seconds']:.0f}",
    }


def _means(found: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Give each preset's mean over the seeds, and `default` minus `xiao2020` of equal seeds."""
    tests: dict[str, dict[int, float]] = {preset: {} for preset in _PRESETS}
    for name, shown in found.items():
        accuracy = (shown["best"] or {}).get("test_accuracy")
        if accuracy is not None:
            tests[name.rpartition("-")[0]][shown["seed"]] = 100 * accuracy
    theirs, ours = (tests[preset] for preset in _PRESETS)
    ahead = [ours[seed] - theirs[seed] for seed in ours.keys() & theirs.keys()]
    values = {**{preset: [*own.values()] for preset, own in tests.items()}, "difference": ahead}
    return [
        {
            "test_%": name,
            "mean": f"{statistics.mean(own):.2f}",
            "standard_error": f"{statistics.stdev(own) / len(own) ** 0.5:.2f}"
            if len(own) > 1
            else None,
            "seeds": len(own),
        }
        for name, own in values.items()
        if own
    ]


if __name__ == "__main__":
    main()
