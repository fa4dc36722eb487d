"""What the scripts for a GPU share: a deadline, a folder for what comes out, and `vlga` to call.

A card is at hand only now and then and for minutes. So each script is one command, prints what it
finds as it finds it, and ends by itself. What it prints stands in ``FOLDER/NAME.txt`` as well, and
where it searches or trains, the ledger is ``FOLDER/NAME.db``: bring that folder along the next
time, and the script goes on where it ended.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlga.report.formats import as_table

if TYPE_CHECKING:
    from workers.data import Dataset

__all__ = ["SMALL_SEARCH", "Occasion", "arguments", "percent", "sets", "vlga"]

_LIBRARIES = ("vlga", "torch", "torchvision", "ray", "deap", "numpy", "sqlalchemy")
#: What goes into a repository, at most.
_CSV_BYTES = 10**6
#: A search that takes seconds on a CPU.
SMALL_SEARCH = (
    "data.train_limit=100",
    "population.size=2",
    "population.rungs=1",
    "training.epochs=1",
    "training.batch_size=32",
    "final.epochs=1",
    "budget.evaluations=2",
    "limits.max_macs=1_000_000",
)


def arguments(about: str | None, minutes: float) -> argparse.ArgumentParser:
    """Give a parser of the options that every script has.

    Args:
        about: the script's docstring.
        minutes: after which it ends, if no others are asked for.
    """
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=minutes, help="when to end, from now")
    parser.add_argument("--out", type=Path, default=Path("gpu-results"), metavar="FOLDER")
    parser.add_argument("--data-dir", help="torchvision's files; the same on each occasion")
    parser.add_argument("--small", action="store_true", help="all of it on a CPU, in seconds")
    return parser


@dataclass(frozen=True, slots=True)
class Occasion:
    """One run of a script.

    Attributes:
        name: of the script.
        folder: for what comes out of it.
        ends: when it has to be over, by `time.monotonic`.
        is_small: whether it only tries the program, on a CPU.
        data_dir: of torchvision's files, or None.
    """

    name: str
    folder: Path
    ends: float
    is_small: bool
    data_dir: str | None

    @classmethod
    def begin(
        cls, name: str, options: argparse.Namespace, words: Sequence[str] | None, seeds: str
    ) -> Occasion:
        """Begin now, and say what is run, and on what.

        Args:
            name: of the script.
            options: of `arguments`.
            words: of the command line, if not those of this process.
            seeds: in words.
        """
        ends = time.monotonic() + 60 * options.minutes
        options.out.mkdir(parents=True, exist_ok=True)
        data_dir = None if options.small else options.data_dir
        occasion = cls(name, options.out, ends, options.small, data_dir)
        given = shlex.join(sys.argv[1:] if words is None else words)
        versions = {
            "python": platform.python_version(),
            **{one: version(one) for one in _LIBRARIES},
        }
        occasion.say(f"command   python -m tests.benchmarks.gpu.{name} {given}")
        occasion.say(f"date      {datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
        occasion.say("versions  " + " ".join(f"{one}={it}" for one, it in versions.items()))
        occasion.say(f"seeds     {seeds}")
        occasion.say(f"hardware  {_hardware()}")
        occasion.say()
        return occasion

    @property
    def seconds_left(self) -> float:
        """Seconds until the end, at least 0."""
        return max(0.0, self.ends - time.monotonic())

    @property
    def url(self) -> str:
        """The ledger's."""
        return f"sqlite:///{self.folder / self.name}.db"

    def searches(self) -> dict[str, dict[str, Any]]:
        """Give the searches and studies of the ledger by name, oldest first, as `show_search`."""
        if not (self.folder / f"{self.name}.db").exists():
            return {}
        from db.connection.engine import opened
        from db.read.searches import list_searches, show_search

        with opened(self.url) as engine:
            names = [one["name"] for one in reversed(list_searches(engine))]
            return {name: show_search(engine, name) for name in names}

    def data(self, name: str) -> list[str]:
        """Give the words by which a command has these images; where all is small, digits."""
        if self.is_small:
            return ["--data", "digits", "--inline"]
        folder = [] if self.data_dir is None else ["--data-dir", self.data_dir]
        return ["--data", name, *folder]

    def images(self, name: str, limit: int | None = None) -> Dataset:
        """Read a data set, or so many images of it, a tenth of them to validate on.

        Where all is small, a hundred digits.
        """
        from vlga.config.data import DataConfig
        from workers.data import load_dataset

        if self.is_small:
            return load_dataset(DataConfig(name="digits", train_limit=100))
        one = DataConfig(name=name, dir=self.data_dir, train_limit=limit, validation_fraction=0.1)
        return load_dataset(one)

    def say(self, text: str = "") -> None:
        """Print a text at once, and keep it."""
        print(text, flush=True)
        with (self.folder / f"{self.name}.txt").open("a", encoding="utf-8") as file:
            file.write(text + "\n")

    def show(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Print rows of equal keys as a table, if there are any."""
        if rows:
            self.say(as_table(rows, list(rows[0])) + "\n")

    def keep_rows(self, searches: Iterable[str]) -> None:
        """Write the trainings of these searches to ``NAME.csv``: as many as make a megabyte."""
        import pandas as pd

        from db import frames

        tables = []
        for search in searches:
            rows = frames.evaluations(self.url, search)
            described = frames.genes(self.url, search)
            if "arm" in described:  # a study's trial, by whose seed arms are paired
                rows = rows.drop(columns="seed").join(described, on="candidate_id")
            tables.append(rows.drop(columns=["evaluation_id", "worker"]).assign(search=search))
        if not tables:
            return
        lines = pd.concat(tables).to_csv(index=False, float_format="%.5g").splitlines(keepends=True)
        while sum(map(len, lines)) > _CSV_BYTES:
            del lines[-len(lines) // 10 :]
        (self.folder / f"{self.name}.csv").write_text("".join(lines), encoding="utf-8")


def vlga(*words: str) -> str:
    """Run a command of `vlga` in this process; give what it prints to standard output.

    Raises:
        RuntimeError: it failed; what it says of that has gone to standard error.
    """
    from vlga.cli.main import main

    print("$", shlex.join(["vlga", *words]), file=sys.stderr, flush=True)
    with redirect_stdout(StringIO()) as out:
        try:
            main(words)
        except SystemExit as end:
            if end.code:
                raise RuntimeError(f"vlga {words[0]} ended with {end.code}") from None
    return out.getvalue()


def sets(*settings: str) -> list[str]:
    """Give the words of ``--set`` for each setting."""
    return [word for setting in settings for word in ("--set", setting)]


def percent(accuracy: float | None) -> str | None:
    """Give an accuracy in percent."""
    return None if accuracy is None else f"{100 * accuracy:.2f}"


def _hardware() -> str:
    """Say what trains: cards with their memory, and CPU cores. Torch would take seconds to ask."""
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    ask = ["nvidia-smi", "--query-gpu=name,memory.total,compute_cap", "--format=csv,noheader"]
    try:
        told = subprocess.run(ask, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        told = "no GPU"
    return "; ".join([*told.strip().splitlines(), f"{n_cores} CPU cores"])
