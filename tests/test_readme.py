"""What the READMEs show can be typed as it stands."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import workers.cluster.metrics
from db.connection.engine import open_engine
from db.schema.service import metadata
from db.schema.views import VIEWS
from db.store import SqlStore
from tests.support import readmes
from tests.support.readmes import blocks
from tests.support.records import candidate, evaluation, record
from vlga.cli.main import _COMMANDS, cli
from vlga.ports.evaluation import FailureReason

QUERIES = "".join(blocks("sql")).strip().split("\n\n")


def fill(url: str) -> None:
    """Make a database with one finished search, and one failure in it."""
    with closing(SqlStore(url)) as store:
        store.create_search(record("digits-1"))
        store.add_candidates(
            "digits-1", [candidate(65), candidate(75, parents=(65,)), candidate(76, parents=(65,))]
        )
        failure = evaluation(76, reason=FailureReason.DIVERGED)
        store.add_evaluations(
            "digits-1", [failure, evaluation(65, fitness=0.5), evaluation(75, fitness=0.75)]
        )


def test_there_are_five_queries_worth_having():
    """Each with the question that it answers."""
    assert len(QUERIES) == 5
    assert all(query.startswith("-- ") and query.endswith(";") for query in QUERIES)


def test_the_database_s_readme_names_every_table_and_view():
    """Each with what one row of it is, and none that is not there."""
    text = (readmes.ROOT / "db" / "README.md").read_text(encoding="utf-8")
    sections = text[text.index("| view |") : text.index("## Five queries")]

    assert {*re.findall(r"^\| `(\w+)` \|", sections, re.MULTILINE)} == {
        *metadata.tables,
        *VIEWS["sqlite"],
    }


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_gives_rows(query, tmp_path):
    """On SQLite, as they stand."""
    fill(f"sqlite:///{tmp_path}/vlga.db")

    with closing(sqlite3.connect(tmp_path / "vlga.db")) as connection:
        assert connection.execute(query).fetchall()


def test_every_query_gives_the_same_rows_on_postgres(tmp_path, empty_postgres):
    """Numbers and words alike, whatever types they come in."""
    urls = [f"sqlite:///{tmp_path}/vlga.db", empty_postgres]
    for url in urls:
        fill(url)
    answers = [[rows_of(url, query) for query in QUERIES] for url in urls]

    assert answers[0] == answers[1]


def test_the_metrics_are_those_that_are_measured():
    """All of them, by their names."""
    source = Path(workers.cluster.metrics.__file__).read_text(encoding="utf-8")

    assert {*re.findall(r"ray_(vlga_\w+)", readmes.TEXT)} == {*re.findall(r'"(vlga_\w+)"', source)}


def rows_of(url: str, query: str) -> list[tuple[Any, ...]]:
    """Give a query's rows, decimal numbers as the floats that SQLite has."""
    engine = open_engine(url)
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(query).all()
    engine.dispose()
    return [
        tuple(float(cell) if isinstance(cell, Decimal) else cell for cell in row) for row in rows
    ]


SEARCHED, AMPLIFIED, TUNED = sorted(
    blocks("python"), key=lambda code: ("VLGASearch" in code, "Amplifier" in code)
)


def test_the_searching_program_runs(tmp_path, monkeypatch, capsys):
    """In a folder of its own; with a budget of two trainings, in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VLGA_DB", raising=False)
    small = {"training.epochs": 1, "final.epochs": 1, "data.train_limit": 100}
    settings = {"budget.evaluations": 2, "limits.max_macs": 100_000, **small}
    code = SEARCHED.replace("seconds=90", f"workers={{'inline': True}}, settings={settings}")
    exec(compile(code, "README.md", "exec"), {})

    words = r"^digits-1: completed, winner #\d with .*, test accuracy 0\.\d{4} ± "
    assert re.search(words, capsys.readouterr().out, re.MULTILINE)
    assert (tmp_path / "digits.html").read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("is_compiled", [False, True])
def test_the_amplified_program_runs(is_compiled, capsys):
    """From its first line to its last, in a namespace of its own; with torch.compile, the same."""
    code = AMPLIFIED
    if is_compiled:  # all of the compiler but the C++ that it writes, which takes a minute
        model = re.search("model = (.*)", code)
        code = code.replace(model[0], f"model = torch.compile({model[1]}, backend='aot_eager')")
    exec(compile(code, "README.md", "exec"), {})

    assert re.findall(r"(\d+) layers amplified", capsys.readouterr().out) == ["0", "10", "10", "0"]


@pytest.mark.usefixtures("cluster")
def test_the_tuned_program_runs(tmp_path, capsys):
    """On a real Tune: it finds a network of more than one layer that knows most digits."""
    code = TUNED.replace('name="digits"', f'name="digits", storage_path={str(tmp_path)!r}')
    code = code.replace("num_samples=40", "num_samples=24")
    program = {"__name__": "__main__"}  # as a script's, whose functions travel to the workers
    exec(compile(code, "README.md", "exec"), program)
    results = program["tuner"].get_results()

    assert results.num_errors == 0
    assert len(results) == 24
    assert len({str(result.config) for result in results}) == 24
    assert results.get_best_result().metrics["accuracy"] > 0.85
    assert str(results.get_best_result().config) in capsys.readouterr().out


def test_the_front_page_stays_short():
    """What needs more room has a page of its own, in the folder that it is about."""
    assert len(readmes.PATHS[0].read_text(encoding="utf-8").splitlines()) <= 220


@pytest.mark.parametrize("page", readmes.PATHS, ids=readmes.name)
def test_every_page_it_links_to_exists(page):
    """From the folder that the README is in."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).is_file()] == []


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
