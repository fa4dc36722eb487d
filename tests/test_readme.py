"""What the README shows can be typed as it stands."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from db.store import SqlStore
from tests.records import candidate, evaluation, record
from vlga.cli.main import _COMMANDS, cli
from vlga.population import FailureReason

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("statement", "".join(blocks("sql")).split("\n\n"))
def test_every_query_gives_rows(statement, tmp_path):
    """On a database with one finished search, and one failure in it."""
    with closing(SqlStore(f"sqlite:///{tmp_path}/vlga.db")) as store:
        store.create_search(record("digits-1"))
        store.add_candidates("digits-1", [candidate(0), candidate(3)])
        failure = evaluation(0, reason=FailureReason.DIVERGED)
        store.add_evaluations("digits-1", [failure, evaluation(3, fitness=0.5, epochs=2)])

    with closing(sqlite3.connect(tmp_path / "vlga.db")) as connection:
        assert connection.execute(statement).fetchall()


@pytest.mark.parametrize("is_compiled", [False, True])
@pytest.mark.parametrize("code", blocks("python"))
def test_every_program_runs(code, is_compiled, capsys):
    """From its first line to its last, in a namespace of its own; with torch.compile, the same."""
    if is_compiled:  # all of the compiler but the C++ that it writes, which takes a minute
        model = re.search("model = (.*)", code)
        code = code.replace(model[0], f"model = torch.compile({model[1]}, backend='aot_eager')")
    exec(compile(code, "README.md", "exec"), {})

    assert re.findall(r"(\d+) layers amplified", capsys.readouterr().out) == ["0", "10", "10", "0"]


def test_every_command_it_names_exists():
    """With the options that it shows."""
    typed = "\n".join(blocks("")).replace("\\\n", " ")
    lines = re.findall(r"^(?:\$ )?vlga ([a-z].*)$", typed, re.MULTILINE)
    assert len(lines) > 8
    for line in lines:
        command, *words = line.split("#")[0].split()
        assert command in _COMMANDS
        help_text = CliRunner().invoke(cli, [command, "--help"]).output
        for word in words:
            if word.startswith("--"):
                assert word in help_text, (command, word)
