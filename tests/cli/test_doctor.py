"""`vlga doctor` on this machine; test_cluster.py has it on a cluster."""

import sqlite3
from contextlib import closing

from db.schema.tables import HEAD
from db.store import SqlStore
from tests.support.command import vlga


def test_looks_at_this_machine(finished):
    """Libraries, CPUs, GPUs, disk, the database with its clock, and data sets."""
    told = finished.ask("doctor", "--format", "json")

    assert told.code == 0
    assert [one["what"].split()[0] for one in told.json] == [
        "libraries", "CPUs", "GPUs", "disk", "database", "clock", "data",
    ]  # fmt: skip


def test_a_database_that_is_to_be_made_is_no_problem(home):
    """The first search makes it."""
    database = "ok database sqlite:///vlga.db: the first search will create it"
    table = vlga("doctor").out.splitlines()

    assert database.split() in [line.split() for line in table]
    assert not (home / "vlga.db").exists()


def test_what_cannot_be_used_is_a_problem_with_its_way_out(home):
    """Exit code 1; the others are told all the same."""
    (home / "vlga.db").write_text("no database" * 1000)
    told = vlga("doctor", "--address", "127.0.0.1:1")

    assert (told.code, told.err) == (1, "vlga: 2 problems\n")
    assert (
        "\nproblem: Ray cluster 127.0.0.1:1: the Ray cluster at '127.0.0.1:1' must be" in told.out
    )
    assert "\nproblem: database: " in told.out


def test_an_empty_postgres_is_no_problem_either(empty_postgres):
    """Its tables are made by the first search; its clock can be asked all the same."""
    told = vlga("doctor", "--db", empty_postgres, "--format", "json")
    found = {one["what"].split()[0]: one for one in told.json}

    assert told.code == 0
    assert found["database"]["found"].endswith(" is empty: the first search will create its tables")
    assert found["clock"]["state"] == "ok"


def test_an_older_database_is_told_with_the_command_that_helps(home, monkeypatch):
    """As every command tells it."""
    SqlStore("sqlite:///vlga.db").close()
    with closing(sqlite3.connect(home / "vlga.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    monkeypatch.setattr("db.schema.revision.REVISIONS", ("0000", HEAD))
    told = vlga("doctor")

    assert told.code == 1
    assert "run vlga db upgrade with the same --db" in told.out
