"""Running the command line in this process, and settings that make a search a matter of seconds."""

from __future__ import annotations

import io
import json
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from db.store import SqlStore
from vlga.cli.main import main
from vlga.ports.lease import this_process

#: Two networks of a few filters, one epoch each, on a hundred digits.
SMALL = (
    "--inline",
    *(
        word
        for setting in (
            "population.size=2",
            "population.generations=1",
            "budget.phases=1",
            "training.epochs=1",
            "final.epochs=1",
            "final.committee=1",
            "data.train_limit=100",
            "space.block.channels_a=[4, 8]",
            "space.block.channels_b=[4, 8]",
            "space.block.kernel_a=[1, 3]",
            "space.block.kernel_b=[1, 3]",
            "strategy=variable_length",
        )
        for word in ("--set", setting)
    ),
)
#: The same without a strategy, for comparisons.
COMPARED = SMALL[:-2]
#: A search of two phases and some twelve trainings, the second phase with inherited weights.
FIRST = (
    "search", *SMALL, "--name", "first", "--set", "population.generations=3",
    "--set", "budget.phases=2", "--set", "population.size=4", "--set", "population.stop_margin=1.0",
)  # fmt: skip
ME = this_process()
#: A process of this machine that has ended.
GONE = replace(ME, token="g", origin=f"{ME.origin.rpartition(' ')[0]} 1", process_id=2**22 + 1)


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended.

    Attributes:
        code: its exit code.
        out: all of standard output.
        err: all of standard error.
    """

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, read as JSON."""
        return json.loads(self.out)


def vlga(*arguments: str) -> Result:
    """Run ``vlga`` as the shell would, but in this process."""
    with (
        redirect_stdout(io.StringIO()) as out,
        redirect_stderr(io.StringIO()) as err,
        pytest.raises(SystemExit) as end,
    ):
        main(arguments)
    assert isinstance(end.value.code, int)
    return Result(end.value.code, out.getvalue(), err.getvalue())


def vlga_in(folder: Path, *arguments: str) -> Result:
    """Run ``vlga`` in another folder, without settings from outside."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("VLGA_DB", raising=False)
        return vlga(*arguments)


def bury(url: str) -> None:
    """Let the lease of the search `first` be that of a process that is gone.

    A command that could not give its lease back leaves it to this process, which lives on.
    """
    with closing(SqlStore(url)) as store:
        lease = store.lease("first")
        if lease is not None:
            assert store.acquire("first", GONE, 60, over=lease.holder.token)
