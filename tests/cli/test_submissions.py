"""What the command line knows of searches that were submitted to the service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from db.service.queue import SqlQueue
from db.store import SqlStore
from tests.support.command import GONE, ME, SMALL, vlga
from tests.support.records import record
from vlga.config.load import load_config
from vlga.ports.queue import Submission, Wish, wish
from vlga.ports.state import State, state_of

SETTINGS = SMALL[2::2]


@pytest.fixture
def store(home) -> Iterator[SqlStore]:
    with closing(SqlStore(f"sqlite:///{home}/vlga.db")) as opened:
        yield opened


@pytest.fixture
def queue(store: SqlStore) -> SqlQueue:
    return SqlQueue(store.engine)


def submit(queue: SqlQueue, name: str, *settings: str, **values: Any) -> None:
    """Submit the smallest search, with these settings instead."""
    config = load_config(settings=(*SETTINGS, *settings))
    queue.submit(Submission(name, config.model_dump(mode="json"), created_by="anna", **values))


class TestBeforeItIsEntered:
    def test_list_and_show_tell_it_as_queued(self, queue):
        """Or as it is wanted; with what is known of it."""
        submit(queue, "first", "seed=7")
        submit(queue, "broken", note="no such images", is_settled=True)
        rows = {row["name"]: row for row in vlga("list", "--format", "json").json}
        shown = vlga("show", "first", "--format", "json").json

        assert [rows[name]["state"] for name in ("first", "broken")] == ["queued", "failed"]
        assert rows["first"]["status"] == "queued"
        assert rows["first"]["evaluations"] == 0
        assert re.search(r"first +queued, 1st +variable_length +digits +0", vlga("list").out)
        assert re.search(
            r"^status +queued, 1st in the queue$", vlga("show", "first").out, re.MULTILINE
        )
        assert (shown["status"], shown["state"], shown["seed"]) == ("queued", "queued", 7)
        assert shown["best"] is None
        table = vlga("show", "broken").out
        assert re.search(r"^status +failed$", table, re.MULTILINE)
        assert re.search(r"^message +no such images$", table, re.MULTILINE)

    def test_its_name_is_taken(self, queue):
        """For a search and for names that are made up."""
        submit(queue, "digits-1")
        told = vlga("search", *SMALL, "--name", "digits-1")

        assert told.code == 2
        assert "--name must be new in its database, but 'digits-1' is taken" in told.err
        assert vlga("search", *SMALL, "--set", "final.epochs=0").code == 0
        assert [row["name"] for row in vlga("list", "--format", "json").json] == [
            "digits-1", "digits-2",
        ]  # fmt: skip

    def test_stop_lets_it_wait_no_longer(self, queue):
        """It is paused; nothing is started."""
        submit(queue, "first")
        told = vlga("stop", "first")

        assert (told.code, told.out) == (0, "")
        assert told.err == "first waits no longer; it can be resumed by the service\n"
        assert state_of(queue.find("first")) is State.PAUSED
        assert queue.actions("first")[0].who == "the command line"

    def test_delete_removes_it(self, queue):
        """Unless a service is starting it."""
        submit(queue, "first")
        queue.claim("first", "one", 60)
        refused = vlga("delete", "first", "--yes")
        queue.unclaim("first", "one")
        told = vlga("delete", "first", "--yes")

        assert refused.code == 2
        assert "'first' is starting; stop it with: vlga stop first" in refused.err
        assert (told.code, told.err) == (0, "deleted first, which was not begun\n")
        assert vlga("list", "--format", "json").json == []


class TestEntered:
    def test_stop_makes_a_wish_that_lasts(self, store, queue):
        """Or a service would start it again."""
        submit(queue, "first")
        store.create_search(record("first"))
        store.acquire("first", ME, 60)
        for option, state in (((), State.PAUSING), (("--now",), State.STOPPING)):
            assert vlga("stop", "first", *option).code == 0
            assert state_of(queue.find("first")) is state
        store.release("first")
        assert vlga("list", "--format", "json").json[0]["state"] == "stopped"

    def test_delete_deletes_the_submission_too(self, store, queue):
        """With the search; nobody starts it again."""
        submit(queue, "first")
        store.create_search(record("first"))

        assert vlga("delete", "first", "--yes").code == 0
        assert queue.unsettled() == []


class TestRun:
    def test_enters_it_and_goes_on_with_it(self, store, queue):
        """One command for both; changes are taken once, and what is completed is left alone."""
        submit(queue, "first", changes=("final.epochs=0",))
        assert vlga("run", "first", "--inline").code == 0
        assert vlga("show", "first", "--format", "json").json["state"] == "completed"
        record_ = store.find_search("first")
        assert (record_.config.workers.inline, record_.config.final.epochs) == (True, 0)
        assert queue.find("first").submission.changes == ()

        again = vlga("run", "first", "--inline")
        assert (again.code, again.err) == (0, "first is completed\n")
        n_before = len(store.evaluations("first"))
        queue.change("first", "anna", "resumed", **wish(Wish.RUN, changes=("budget.phases=2",)))
        assert vlga("run", "first", "--inline").code == 0
        assert len(store.evaluations("first")) > n_before

    def test_says_why_it_failed(self, queue):
        """In one line, with the submission, too; a mistake is exit code 2."""
        submit(queue, "first", "data.name=nowhere")
        told = vlga("run", "first", "--inline")

        assert told.code == 2
        assert told.err == f"vlga: {queue.find('first').submission.note}\n"
        assert "'nowhere'" in told.err

    def test_runs_only_what_is_wanted(self, store, queue):
        """Exit code 130 and nothing entered, as if it had been asked to stop at once."""
        submit(queue, "first", wanted=Wish.PAUSE)
        told = vlga("run", "first", "--inline")

        assert told.code == 130
        assert "'first' is not; to run it here: vlga resume first" in told.err
        with pytest.raises(LookupError):
            store.find_search("first")
        assert vlga("run", "frist").code == 2

    def test_leaves_one_that_another_runs_to_that(self, store, queue):
        """Exit code 1: another try may succeed."""
        submit(queue, "first")
        store.create_search(record("first"))
        store.acquire("first", replace(GONE, host="elsewhere"), 60)
        told = vlga("run", "first", "--inline")

        assert told.code == 1
        assert "one process at a time may run a search, but 'first' is run by" in told.err

    def test_is_not_in_the_help(self):
        """People have search and resume."""
        assert not re.search(r"^  run ", vlga("--help").out, re.MULTILINE)
