import csv
import io
import re
from contextlib import closing
from dataclasses import replace

import pytest

from db.store import SqlStore
from tests.support.command import vlga
from tests.support.records import candidate, evaluation, record
from vlga.ports.evaluation import FailureReason
from vlga.ports.lease import this_process


@pytest.fixture
def two():
    """A database with a search that failed and one that this process runs."""
    store = SqlStore("sqlite:///vlga.db")
    store.create_search(replace(record("first", seed=5), status="failed", message="no luck"))
    store.create_search(record("second"))
    store.acquire("second", this_process(), 60)
    store.add_candidates("second", [candidate(number) for number in range(4)])
    store.add_evaluations("second", [evaluation(0, 0.25), evaluation(2, 0.75), evaluation(3, 0.5)])
    lost = FailureReason.WORKER_LOST
    store.add_evaluations("second", [evaluation(1, reason=lost)])
    store.close()


class TestList:
    def test_has_the_newest_search_first(self, two):
        """One line a search under a header."""
        lines = vlga("list").out.splitlines()

        assert [line.split()[0] for line in lines] == [
            "name",
            lines[1].split()[0],
            "second",
            "first",
        ]
        assert lines[2].split()[1:6] == ["running", "ladder", "digits", "4", "0.7500"]
        assert lines[3].split()[1:6] == ["failed", "ladder", "digits", "0", "-"]

    def test_json_has_what_scripts_rely_on(self, two):
        """The documented keys, numbers as numbers, moments in ISO 8601."""
        second, first = vlga("list", "--format", "json").json

        assert list(second) == [
            "name", "status", "strategy", "data", "evaluations", "best_fitness", "created_at",
            "state",
        ]  # fmt: skip
        assert (second["evaluations"], second["best_fitness"]) == (4, 0.75)
        assert first["best_fitness"] is None
        assert second["created_at"].endswith("+00:00")

    def test_csv_has_the_same(self, two):
        """With a header, an absent value empty."""
        rows = [*csv.DictReader(io.StringIO(vlga("list", "--format", "csv").out))]

        assert [row["name"] for row in rows] == ["second", "first"]
        assert [row["best_fitness"] for row in rows] == ["0.75", ""]

    def test_of_none_says_how_to_start(self):
        """On stderr; for scripts it is an empty list."""
        SqlStore("sqlite:///vlga.db").close()

        assert vlga("list").err == "no searches yet; start one with: vlga search\n"
        assert vlga("list").out == ""
        assert vlga("list", "--format", "json").json == []


class TestLost:
    """A search that is stored as running, but that nobody runs."""

    @pytest.fixture
    def lost(self):
        """Two: one whose process has ended, and one whose machine has not been heard of since."""
        here = this_process()
        with closing(SqlStore("sqlite:///vlga.db")) as store:
            for name, holder, seconds in (
                ("first", replace(here, origin=f"{here.origin}0"), 60),
                ("my second", replace(here, host="elsewhere"), -1),
            ):
                store.create_search(record(name))
                store.acquire(name, holder, seconds)

    def test_list_says_so_with_the_commands_that_go_on(self, lost):
        """The commands below the table, on stderr; programs get the status alone."""
        told = vlga("list")

        assert [line.count(" lost ") for line in told.out.splitlines()[2:]] == [1, 1]
        assert told.err.splitlines() == [
            "the process of my second is gone; go on with: vlga resume 'my second'",
            "the process of first is gone; go on with: vlga resume first",
        ]
        for form in ("json", "csv"):
            told = vlga("list", "--format", form)
            assert (told.out.count("lost"), told.err) == (4, "")  # status and state

    def test_show_says_so_with_the_command_that_goes_on(self, lost, home):
        """As the last line of its table, with the database where it is not the usual one."""
        url = f"sqlite:///{home}/vlga.db"
        lines = [
            line.split("  ", 1) for line in vlga("show", "my second", "--db", url).out.splitlines()
        ]
        shown = {key: text.strip() for key, text in lines}

        assert shown["status"] == "lost"
        assert lines[-1][0] == "go on with"
        assert shown["go on with"] == f"vlga resume 'my second' --db {url}"
        assert vlga("show", "first", "--format", "json").json["status"] == "lost"
        assert "resume" not in vlga("show", "first", "--format", "csv").out


class TestShow:
    def test_json_has_what_scripts_rely_on(self, finished):
        """The documented keys at least."""
        shown = finished.ask("show", "digits-1", "--format", "json").json

        assert list(shown)[:8] == [
            "name", "status", "strategy", "seed", "data", "evaluations", "best", "seconds",
        ]  # fmt: skip
        assert list(shown["evaluations"]) == ["completed", "failed", "reused"]
        assert {"id", "fitness", "parameters", "depth"} < set(shown["best"])
        assert {"test_accuracy", "test_standard_error"} < set(shown["best"])
        assert shown["seconds"] > 0

    def test_a_finished_search(self, finished):
        """Line by line: a name, two blanks at least, what it is."""
        shown = dict(
            line.split("  ", 1) for line in finished.ask("show", "digits-1").out.splitlines()
        )
        shown = {key: text.strip() for key, text in shown.items()}

        assert shown["status"] == "completed"
        assert shown["images"] == "80 train + 20 validation + 359 test"
        assert shown["shape"] == "1x8x8, 10 classes"
        assert shown["evaluations"] == "2 completed, 0 failed, 0 reused"
        assert shown["best"] in ("#0", "#1")
        assert {"validation accuracy", "test accuracy", "network", "took", "started"} <= set(shown)
        assert re.fullmatch(r"0\.\d{4} ± 0\.0\d{3}", shown["test accuracy"])
        assert shown["for comparison"].startswith("always the largest class 0.")
        assert shown["message"] == "all of budget.phases=1 are done"

    def test_a_running_search(self, two):
        """What is not known yet is left out, what failed is counted by reason."""
        shown = vlga("show", "second").out

        assert "best                 #2\n" in shown
        assert "failures             1 worker_lost\n" in shown
        assert "test accuracy" not in shown

    def test_a_failed_search(self, two):
        """It says why."""
        assert "message              no luck\n" in vlga("show", "first").out
        assert vlga("show", "first", "--format", "json").json["best"] is None

    def test_csv_is_one_row(self, two):
        """As for a table of searches."""
        (row,) = csv.DictReader(io.StringIO(vlga("show", "first", "--format", "csv").out))

        assert (row["name"], row["seed"], row["message"], row["best"]) == (
            "first",
            "5",
            "no luck",
            "",
        )


class TestTop:
    COLUMNS = ("id", "fitness", "parameters", "macs", "depth", "phase", "generation", "rung",
               "epochs", "fingerprint")  # fmt: skip

    def test_json_has_what_scripts_rely_on(self, two):
        """The documented keys, the fittest first, failures left out."""
        rows = vlga("top", "second", "--format", "json").json

        assert [row["id"] for row in rows] == [2, 3, 0]
        assert all(list(row) == [*self.COLUMNS] for row in rows)

    def test_a_table_and_csv_have_the_same(self, two):
        """Column by column."""
        table = vlga("top", "second").out.splitlines()
        rows = [*csv.DictReader(io.StringIO(vlga("top", "second", "--format", "csv").out))]

        assert table[0].split() == [*self.COLUMNS] == list(rows[0])
        assert table[2].split()[:4] == ["2", "0.7500", "1,002", "10,000,000,002"]
        assert [row["id"] for row in rows] == ["2", "3", "0"]

    def test_of_a_search_without_a_fitness_says_so(self, two):
        """On stderr; for scripts it is an empty list."""
        told = vlga("top", "first")

        assert (told.out, told.err) == ("", "no network of 'first' has a fitness yet\n")
        assert vlga("top", "first", "--format", "json").json == []

    def test_shows_as_many_as_asked_for(self, two):
        """Ten if not said otherwise."""
        assert [row["id"] for row in vlga("top", "second", "-n2", "--format", "json").json] == [
            2,
            3,
        ]

    def test_the_front_has_whom_no_other_is_as_good_as(self, two):
        """In fitness and parameters, as the search weighs fitness alone; the fittest first."""
        rows = vlga("top", "second", "--front", "--format", "json").json

        assert [(row["id"], row["parameters"]) for row in rows] == [(2, 1002), (0, 1000)]
        assert all(list(row) == [*self.COLUMNS] for row in rows)
        table = vlga("top", "second", "--front", "-n1").out.splitlines()
        assert table[0].split() == [*self.COLUMNS]
        assert [line.split()[0] for line in table[2:]] == ["2"]


@pytest.mark.parametrize("command", [("list",), ("show", "second"), ("top", "second")])
def test_looking_says_nothing_on_stderr(two, command):
    """What is read by a program is on stdout and only there."""
    for form in ("table", "json", "csv"):
        looked = vlga(*command, "--format", form)

        assert (looked.code, looked.err) == (0, "")
        assert looked.out.endswith("\n")
