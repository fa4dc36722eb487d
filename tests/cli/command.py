"""Running the command line in this process, and settings that make a search a matter of seconds."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import pytest

from vlga.cli.main import main

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
            "data.train_limit=100",
            "space.block.channels_a=[4, 8]",
            "space.block.channels_b=[4, 8]",
            "space.block.kernel_a=[1, 3]",
            "space.block.kernel_b=[1, 3]",
        )
        for word in ("--set", setting)
    ),
)


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
