"""What a search would be, without entering it: its images read, its sizes chosen, its cost.

Reading images and looking for a GPU loads torch, which the service must not: a process of its own
does it, which is this file run as a module. It gets the settings on standard input and answers with
one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from vlga.config.load import parse_config
from vlga.config.rungs import rung_lengths
from vlga.config.settings import SearchConfig
from vlga.errors import ConfigError, DataError, VlgaError
from vlga.report.formats import number_of, seconds_text
from vlga.service.aside import run_aside

__all__ = ["resolved"]

_KEPT_SECONDS = 60
_ERRORS = {"ConfigError": ConfigError, "DataError": DataError}


def resolved(config: SearchConfig) -> dict[str, Any]:
    """Say what would be searched, and what it would cost.

    Args:
        config: checked.

    Returns:
        ``settings``, a tree with a number for every setting that was ``auto``; ``images`` of each
        split, ``input_shape`` and ``classes``; ``rungs``, epochs of each length of training;
        ``cost`` at most, of `seconds trainings epochs`, each None if nothing limits it; ``said``,
        the same in lines for people.

    Raises:
        ConfigError: a limit is too small for any network.
        DataError: the images cannot be read.
        StoreUnavailable: other dry runs take all the time there is, or this one took too long.
    """
    text = json.dumps(config.model_dump(mode="json"), sort_keys=True)
    answer = json.loads(_answer(text, time.monotonic() // _KEPT_SECONDS))
    if "error" in answer:
        raise _ERRORS.get(answer["kind"], ConfigError)(answer["error"])
    return dict(answer)


@lru_cache(maxsize=32)
def _answer(text: str, _minute: float) -> str:
    """Ask the other process, once a minute: while somebody types, the same comes again."""
    return run_aside("a dry run", "vlga.service.dry", text=text).stdout.splitlines()[-1]


def _describe(config: SearchConfig) -> dict[str, Any]:
    """Read the images and choose the sizes, in the other process."""
    from vlga.app.evaluators import load_data
    from vlga.app.sizes import Machine, choose_sizes, sizes_text

    data = load_data(config).summary()
    config = choose_sizes(config, data, Machine(float(os.cpu_count() or 1), _has_gpu()))
    cost = _cost(config)
    said = [
        f"{data.label}: " + " + ".join(f"{n:,} {split}" for split, n in data.images.items()) + ", "
        f"{'x'.join(map(str, data.input_shape))}, {len(data.classes)} classes",
        sizes_text(config),
        _cost_text(cost),
    ]
    return {
        "settings": config.model_dump(mode="json"),
        "images": data.images,
        "input_shape": [*data.input_shape],
        "classes": [*data.classes],
        "rungs": [*rung_lengths(config)],
        "cost": cost,
        "said": [line for line in said if line],
    }


def _has_gpu() -> bool:
    from workers.evaluators.inline import has_gpu

    return has_gpu()


def _cost(config: SearchConfig) -> dict[str, float | None]:
    budget = config.budget
    epochs = budget.epochs
    if epochs is None and budget.evaluations is not None:
        epochs = budget.evaluations * config.training.epochs
    return {"seconds": budget.seconds, "trainings": budget.evaluations, "epochs": epochs}


def _cost_text(cost: Mapping[str, float | None]) -> str:
    parts = []
    if cost["seconds"] is not None:
        parts.append(f"{seconds_text(cost['seconds'])} in all")
    if cost["trainings"] is not None:
        parts.append(number_of(int(cost["trainings"]), "training"))
    if cost["epochs"] is not None:
        parts.append(f"{number_of(int(cost['epochs']), 'epoch')} of search")
    return "at most " + ", ".join(parts) if parts else "until its strategy's own rule ends it"


def _main() -> int:
    try:
        answer = _describe(parse_config(json.load(sys.stdin)))
    except VlgaError as error:
        kind = "DataError" if isinstance(error, DataError) else "ConfigError"
        print(json.dumps({"error": str(error), "kind": kind}))  # noqa: T201 - this is its answer
        return 2
    print(json.dumps(answer))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(_main())
