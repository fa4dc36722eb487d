"""A disk that is full, or that may not be written to, under a search."""

from __future__ import annotations

import re
import resource
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from db.store import SqlStore
from tests.support.command import FIRST, SMALL, bury, vlga
from tests.support.ledger import ledger
from tests.support.records import record


@pytest.fixture
def tmp_path(disk):
    """A real folder: in memory nothing is written, flushed or full as on a disk."""
    return disk


@pytest.fixture
def no_more_pages():
    """A database that SQLite lets grow no further, as if its disk were full; another may."""
    opened = []

    def note(connection, _record):
        opened.append(connection)

    def fill():
        for connection in opened:
            connection.execute("PRAGMA max_page_count = 1")  # means: as many as there are

    event.listen(Engine, "connect", note)
    yield fill, lambda: None, "database sqlite:///vlga.db: the disk must have room, but it is full"
    event.remove(Engine, "connect", note)


@pytest.fixture
def no_more_bytes():
    """A disk that gives an error for every byte that a file should grow by."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill():
        n_bytes = Path("vlga.db-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, most))

    def free():
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    yield fill, free, "database sqlite:///vlga.db: the disk must be readable and writable, but it "
    free()


@pytest.fixture
def no_more_weights():
    """No folder for weights can be made."""
    obstacle = Path("vlga.db-files")
    return obstacle.touch, obstacle.unlink, "weights must be written under .*vlga.db-files/.*/first"


@pytest.mark.parametrize("trouble", ["no_more_pages", "no_more_bytes", "no_more_weights"])
def test_a_full_disk_stops_a_search_that_can_be_resumed(request, trouble, after, undisturbed):
    """Exit code 1 and one line; the ledger is whole and, once there is room, ends the same."""
    fill, free, reason = request.getfixturevalue(trouble)
    after(3 if trouble != "no_more_weights" else 1, fill)
    told = vlga(*FIRST)
    free()
    way_out, said = told.err.splitlines()[-2:]
    with closing(sqlite3.connect("vlga.db")) as connection:
        (sound,) = connection.execute("PRAGMA integrity_check").fetchone()
    checked = vlga("db", "check")
    bury("sqlite:///vlga.db")
    resumed = vlga("resume", "first")

    assert (told.code, told.out) == (1, "")
    assert way_out == "stopped; what is recorded is kept. Go on with: vlga resume first"
    assert re.match(f"vlga: {reason}", said)
    assert "Traceback" not in told.err
    assert sound == "ok"
    assert checked.code == 0, checked.out
    assert resumed.code == 0, resumed.err
    assert ledger("sqlite:///vlga.db") == undisturbed


@pytest.mark.parametrize("command", [("search", *SMALL, "--name", "other"), ("resume", "first")])
def test_a_file_that_is_read_only_is_said_at_once(command):
    """Exit code 2, one line, and not a byte is changed; who only looks may do so."""
    with closing(SqlStore("sqlite:///vlga.db")) as store:
        store.create_search(record("first"))
    before = Path("vlga.db").read_bytes()
    url = "sqlite:///file:vlga.db?mode=ro&uri=true"
    told = vlga(*command, "--db", url)

    assert told.code == 2
    assert re.fullmatch(r"vlga: .*: the file and its folder must be writable, but .*\n", told.err)
    assert vlga("list", "--db", url).code == 0
    assert Path("vlga.db").read_bytes() == before
