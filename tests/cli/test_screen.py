"""What is printed fits the terminal, and what is piped is complete."""

import io
import os
import shutil
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from tests.cli.conftest import Finished
from vlga.cli.main import main

#: Every reading command that prints a table or a text, on a search of two networks.
COMMANDS = (
    "list", "show digits-1", "top digits-1", "individual digits-1 0", "individual digits-1 1",
    "lineage digits-1 1", "report digits-1", "data list", "doctor",
)  # fmt: skip


class Screen(io.StringIO):
    """A terminal, as far as a program asks."""

    def isatty(self):
        """Say that it is one."""
        return True


def shown(width, finished, command, monkeypatch):
    """Give the lines that a command prints on a terminal of this width."""
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((width, 24)))
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("VLGA_DB", finished.url)
    with redirect_stdout(Screen()) as screen, pytest.raises(SystemExit) as end:
        main(command.split())
    assert end.value.code == 0
    return screen.getvalue().splitlines()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("width", [80, 200])
def test_nothing_is_wider_than_the_terminal(width, command, finished, monkeypatch):
    """At 80 and at 200 columns; but for commands and paths, which stay in one piece."""
    lines = shown(width, finished, command, monkeypatch)

    assert lines
    for line in lines:
        has_path = " /" in line or "sqlite:///" in line or set(line) <= {"─", " "}
        assert len(line) <= width or has_path, line


@pytest.mark.parametrize("width", [80, 200])
def test_a_long_path_does_not_widen_a_table(width, finished, monkeypatch, tmp_path):
    """Its own line is as long as it is, and no other."""
    deep = tmp_path / ("a" * 100)
    deep.mkdir()
    shutil.copy(Path(finished.url.removeprefix("sqlite:///")), deep / "vlga.db")
    moved = Finished(f"sqlite:///{deep / 'vlga.db'}", finished.result)

    test_nothing_is_wider_than_the_terminal(width, "doctor", moved, monkeypatch)


def test_what_is_piped_has_every_column(finished):
    """A file has no width."""
    header = finished.ask("top", "digits-1").out.splitlines()[0].split()

    assert header == [
        "id", "fitness", "parameters", "macs", "depth", "phase", "generation", "rung", "epochs",
        "fingerprint",
    ]  # fmt: skip
