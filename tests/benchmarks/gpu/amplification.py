"""What gradient amplification is worth after whole trainings: a study that grows by the occasion.

    python -m tests.benchmarks.gpu.amplification --data-dir DIR

Minutes of a card: 8.5, of which half a minute for the start. Thirty epochs of a network take an
H100 some 40 s by what six took, so each occasion adds about twelve trainings; a seed has 24 on each
data set. The study is `tests/benchmarks/studies/amplification.toml` on CIFAR-10 and on CIFAR-100,
both in one ledger; each occasion goes on with the one that has fewer trainings. Bring the folder of
``--out`` along, and use the same ``--data-dir``.

Four at a time fill a card with these networks, and lose less at the end of the time than eight. A
training that cannot end in time is not begun, once three have told how long one takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

from tests.benchmarks.gpu.occasion import Occasion, arguments, sets, vlga
from vlga.config.load import load_config

_STUDY = Path(__file__).parents[1] / "studies" / "amplification.toml"
_DATA = ("cifar10", "cifar100")
#: Seconds for what a study does before its first training and after its last.
_AROUND = 30.0
_SMALL = (
    'study.networks=["small_resnet_16", "simple_cnn"]',
    "study.seeds=1",
    "study.learning_rates=[0.1]",
    "training.epochs=2",
    "training.batch_size=32",
    "data.train_limit=100",
)


def main(words: Sequence[str] | None = None) -> None:
    """Train what fits the time, and print the tables of both studies."""
    parser = arguments(__doc__, minutes=8.5)
    parser.add_argument("--trainings", type=int, help="at most so many on this occasion")
    parser.add_argument("--epochs", type=int, help="of a new study; 30 if not given")
    parser.add_argument("--at-once", type=int, default=4, help="trainings on a card")
    options = parser.parse_args(words)
    settings = list(_SMALL) if options.small else []
    if options.epochs:
        settings.append(f"training.epochs={options.epochs}")
    study = load_config(file=_STUDY, settings=settings).study
    now = Occasion.begin("amplification", options, words, f"0 to {study.seeds - 1}, in pairs")
    n_all = study.seeds * prod(map(len, (study.networks, study.learning_rates, study.arms)))
    n_left = options.trainings or len(_DATA) * n_all
    try:
        while n_left and (data := _least_done(now.searches(), n_all)) is not None:
            seconds = now.seconds_left - (0.0 if now.is_small else _AROUND)
            n_before = _n_done(now.searches(), data)
            wanted = min(n_all, n_before + n_left)
            if seconds <= 0:
                break
            _train(now, data, settings, n_wanted=wanted, seconds=seconds, at_once=options.at_once)
            n_left -= _n_done(now.searches(), data) - n_before
            if _n_done(now.searches(), data) < wanted:  # the time is up
                break
    finally:
        for name in now.searches():
            now.say(f"{name}:\n" + vlga("report", name, "--db", now.url))
        now.keep_rows(now.searches())


def _name(data: str) -> str:
    return f"amplification-{data}"


def _n_done(found: dict[str, dict[str, Any]], data: str) -> int:
    """Count a study's trainings that have ended."""
    counts = found.get(_name(data), {}).get("evaluations", {})
    return sum(counts.values())


def _least_done(found: dict[str, dict[str, Any]], n_all: int) -> str | None:
    """Give the data set with the fewest trainings, or None if both have all."""
    data = min(_DATA, key=lambda one: _n_done(found, one))
    return data if _n_done(found, data) < n_all else None


def _train(
    now: Occasion,
    data: str,
    settings: Sequence[str],
    *,
    n_wanted: int,
    seconds: float,
    at_once: int,
) -> None:
    """Begin a study or go on with it, for so many trainings in all and so many seconds."""
    name, before = _name(data), now.searches().get(_name(data))
    used = 0.0 if before is None else before["seconds"]
    budget = f"budget.seconds={used + max(1.0, seconds):.0f}", f"budget.evaluations={n_wanted}"
    packed = [] if now.is_small else ["--gpus-per-evaluation", str(1 / at_once)]
    if before is not None:
        vlga("resume", name, "--db", now.url, *packed, *sets(*budget))
        return
    vlga(
        *("train", "--grid", str(_STUDY), *now.data(data), "--name", name, "--db", now.url),
        *packed,
        *sets(*settings, *budget),
    )


if __name__ == "__main__":
    main()
