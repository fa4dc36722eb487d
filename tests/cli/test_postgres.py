"""Searches on a real Postgres server: from the first command to the last, and while it is away."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time

import pytest

from tests.support import postgres
from tests.support.command import FIRST, SMALL, bury, vlga
from tests.support.ledger import ledger


@pytest.fixture
def url(home, monkeypatch, empty_postgres):
    """An empty database, named in the environment, of a server that a test may stop."""
    monkeypatch.setenv("VLGA_DB", empty_postgres)
    yield empty_postgres
    postgres.start()


class TestOutage:
    def test_does_not_end_a_search(self, url, undisturbed, after):
        """The terminal says when it begins and when it is over; the ledger is the same."""

        def restart(mode):
            postgres.stop(mode)
            threading.Timer(0.5, postgres.start).start()

        after(3, lambda: restart("immediate"))
        after(9, lambda: restart("fast"))
        told = vlga(*FIRST)
        said = [line for line in told.err.splitlines() if "database" in line]

        assert told.code == 0, told.err
        assert len(said) == 4
        for begins, ends in (said[:2], said[2:]):
            assert re.match(r"database .*@/postgres.*: the server must be .*; waiting for", begins)
            assert re.fullmatch(r"the database answers again after \d\.\d s; going on", ends)
        assert ledger(url) == undisturbed

    def test_that_does_not_end_ends_the_search(self, url, undisturbed, after, monkeypatch):
        """Exit code 1, the reason, and the command by which it goes on as if nothing had been."""
        monkeypatch.setattr("vlga.app.searches._OUTAGE_SECONDS", 0.3)
        after(5, lambda: postgres.stop("immediate"))
        began = time.monotonic()
        told = vlga(*FIRST)
        waited, way_out, reason = told.err.splitlines()[-3:]

        assert (told.code, told.out) == (1, "")
        assert time.monotonic() - began < 20
        assert waited.endswith("; waiting for it, for at most 0.3 s")
        assert way_out == "stopped; what is recorded is kept. Go on with: vlga resume first"
        assert re.fullmatch(
            r"vlga: database .*: the server must be running and reachable .*; given up after 0.3 s",
            reason,
        )
        postgres.start()
        assert vlga("show", "first", "--format", "json").json["evaluations"]["completed"] == 4
        bury(url)
        resumed = vlga("resume", "first")
        assert resumed.code == 0, resumed.err
        assert ledger(url) == undisturbed

    @pytest.mark.parametrize("command", [FIRST, ("resume", "first"), ("list",), ("stop", "first")])
    def test_at_the_start_is_said_at_once(self, url, command):
        """Nobody waits for a server that may not even be the right one."""
        postgres.stop("fast")
        told = vlga(*command)

        assert told.code == 2
        assert re.fullmatch(
            r"vlga: database .*: the server must be running and reachable from here, .*\n", told.err
        )


def test_a_search_from_its_first_command_to_its_last(home, monkeypatch, empty_postgres):
    """A real process, real trainings, and a password in the environment that shows nowhere."""
    url = postgres.with_password("ada", "secret").replace("postgresql://", "postgresql+psycopg://")
    monkeypatch.setenv("VLGA_DB", url)
    random = (*SMALL, "--set", "strategy=random_search", "--set", "budget.evaluations=3")
    searched = subprocess.run(
        [sys.executable, "-m", "vlga", "search", *random],
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert searched.returncode == 0, searched.stderr
    resumed = vlga("resume", "digits-1", "--set", "budget.evaluations=5")
    looked = {
        " ".join(words): vlga(*words)
        for words in [
            ("list",), ("show", "digits-1"), ("top", "digits-1", "-n", "9"),
            ("individual", "digits-1", "0"), ("lineage", "digits-1", "4"), ("report", "digits-1"),
            ("db", "check"), ("db", "upgrade"), ("list", "--db", url), ("stop", "digits-1"),
            ("delete", "digits-1", "--yes"),
        ]
    }  # fmt: skip

    assert "digits-1  random_search, seed 0, on digits: " in searched.stderr
    assert "at a time; postgresql+psycopg://ada:***@/postgres" in searched.stderr
    assert "\nnext:  vlga individual digits-1 " in searched.stderr
    assert resumed.code == 0, resumed.err
    codes = {words: told.code for words, told in looked.items()}
    assert codes == dict.fromkeys(looked, 0) | {"stop digits-1": 2}
    assert re.search(r"digits-1 +completed +random_search +digits +5", looked["list"].out)
    assert len(looked["top digits-1 -n 9"].out.splitlines()) == 2 + 5
    for told in looked.values():
        assert "secret" not in told.out + told.err
    assert "secret" not in searched.stdout + searched.stderr + resumed.err
    assert vlga("list", "--format", "json").json == []
