"""The contract of the port `Queue`: wishes are kept. `other` is a second process's view.

Who keeps it is in test_queue.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest

from tests.contracts.leases_contract import ANNA, Store
from tests.support.records import candidate, evaluation, record
from vlga.errors import ConfigError, SearchExists, SearchNotFound
from vlga.ports.evaluation import FailureReason, Source
from vlga.ports.lease import Stop
from vlga.ports.queue import Queue, Seen, Submission, Watched, Wish

SETTINGS = {"seed": 3, "data": {"name": "digits"}, "note": "zwei \u4e8c"}


def submission(name: str = "first", **values: Any) -> Submission:
    return Submission(name, SETTINGS, created_by="anna", **values)


class QueueContract:
    """What every queue does; a subclass gives two on one database, and its `store`.

    `jump` moves the database's clock.
    """

    def test_what_is_submitted_is_found(self, queue: Queue, other: Queue):
        """Whole, by anybody; its search is not entered, nobody runs it, nobody starts it."""
        asked = submission(
            wanted=Wish.PAUSE, priority=-2, changes=("budget.epochs=9", "seed=1"), n_tries=3,
            n_outcomes=2**40, next_try=1764345600.25, note="wait", is_settled=True,
        )  # fmt: skip
        assert queue.submit(asked)

        found = other.find("first")
        assert found.submission.created_at is not None
        assert found.submission.created_at.tzinfo is UTC
        expected = replace(asked, created_at=found.submission.created_at)
        assert found == Watched(expected, Seen(), None)
        assert found.submission.wanted is Wish.PAUSE

    def test_a_name_is_taken_once(self, queue: Queue, other: Queue, store: Store):
        """By a submission or by a search; who comes second leaves nothing."""
        queue.submit(submission())
        store.create_search(record("begun"))

        for name in ("first", "begun"):
            with pytest.raises(SearchExists, match=f"must be new, but '{name}' is taken"):
                other.submit(submission(name, priority=7))
        assert queue.find("first").submission.priority == 0
        assert [one.submission.name for one in queue.unsettled()] == ["first"]
        assert len(queue.actions("first")) == 1

    def test_a_key_submits_once(self, queue: Queue, other: Queue):
        """The same again is answered by the first; with another body it is refused."""
        assert queue.submitted_with("k") is None
        assert queue.submit(submission(), key="k", body="b")

        assert not other.submit(submission(), key="k", body="b")
        assert not other.submit(submission("second"), key="k", body="b")
        assert other.submitted_with("k") == "first"
        with pytest.raises(ConfigError, match="must come with one request only"):
            other.submit(submission("second"), key="k", body="c")
        with pytest.raises(SearchExists):
            other.submit(submission(), key="l", body="b")
        assert queue.n_waiting() == 1

    def test_who_waits_stands_in_order(self, queue: Queue, other: Queue):
        """By priority, then the oldest first; who is settled does not wait."""
        for name, priority in (("a", 0), ("b", 5), ("c", 0), ("d", 5), ("e", -1)):
            queue.submit(submission(name, priority=priority, is_settled=name == "c"))
        other.change("e", "bert", "changed", priority=6)

        assert [one.submission.name for one in other.unsettled()] == ["e", "b", "d", "a"]
        assert queue.n_waiting() == 4

    def test_what_is_so_of_its_search_comes_with_it(self, queue: Queue, store: Store, jump):
        """Its status, its lease with a wish to stop, and its outcomes but the final one."""
        queue.submit(submission())
        store.create_search(record("first"))
        assert queue.find("first").seen == Seen("running")
        store.add_candidates("first", [candidate(number) for number in range(3)])
        store.acquire("first", ANNA, 60)
        failed = evaluation(1, reason=FailureReason.DIVERGED)
        store.add_evaluations("first", [evaluation(0), failed])
        taken = replace(evaluation(2, epochs=0), source=Source.EQUAL_CANDIDATE)
        store.add_evaluations("first", [taken])
        store.add_evaluations("first", [evaluation(0)], is_final=True)
        store.update_search("first", status="interrupted")
        store.request_stop("first", Stop.DRAIN)

        for watched in (queue.find("first"), *queue.unsettled()):
            seen = watched.seen
            assert (seen.status, seen.n_outcomes) == ("interrupted", 3)
            assert seen.lease == store.lease("first")
            assert seen.lease is not None
            assert (seen.lease.holder, seen.lease.stop) == (ANNA, Stop.DRAIN)
            assert not seen.lease.has_expired
        jump(61)
        expired = queue.find("first").seen.lease
        assert expired is not None
        assert expired.has_expired

    def test_a_search_begun_elsewhere_is_found_too(self, queue: Queue, store: Store):
        """As a submission that is settled; it becomes one that is kept when it is changed."""
        store.create_search(record("begun"))
        store.acquire("begun", ANNA, 60)

        found = queue.find("begun")
        assert found.submission.settings == store.find_search("begun").config.model_dump(
            mode="json"
        )
        assert (found.submission.wanted, found.submission.is_settled) == (Wish.RUN, True)
        assert found.submission.created_by == "the command line"
        assert found.seen == Seen("running", store.lease("begun"), 0)
        assert queue.unsettled() == []

        changed = queue.change("begun", "anna", "paused", wanted=Wish.PAUSE)
        assert (changed.wanted, changed.is_settled) == (Wish.PAUSE, False)
        (wanted,) = queue.unsettled()
        assert wanted.submission == replace(changed, settings={})
        assert queue.find("begun").seen == found.seen

    def test_a_change_is_a_wish(self, queue: Queue, other: Queue):
        """What is named is changed, something is left to do again, and it says who did it."""
        queue.submit(submission(is_settled=True, note="it was broken"))
        changed = queue.change(
            "first", "bert", "resumed", wanted=Wish.RUN, changes=("final.epochs=2",), note=""
        )

        assert other.find("first").submission == changed
        assert (changed.changes, changed.note, changed.is_settled) == (("final.epochs=2",), "", 0)
        assert changed.settings == SETTINGS
        assert not queue.change("first", "bert", "changed", is_settled=True, priority=4).note
        assert queue.unsettled() == []
        told = [(one.who, one.what, one.search, one.detail) for one in other.actions("first")]
        assert told == [
            ("bert", "changed", "first", ""),
            ("bert", "resumed", "first", ""),
            ("anna", "submitted", "first", ""),
        ]

    def test_a_note_never_overwrites_a_wish(self, queue: Queue, other: Queue, store: Store):
        """It is written only where the submission still is as it was seen; no action is."""
        queue.submit(submission())
        seen = queue.find("first").submission
        assert queue.note(seen, n_tries=1, next_try=5.5, changes=())
        assert not queue.note(seen, is_settled=True)
        assert other.find("first").submission == replace(seen, n_tries=1, next_try=5.5)

        seen = other.find("first").submission
        other.change("first", "bert", "stopped", wanted=Wish.STOP)
        assert not queue.note(seen, is_settled=True)
        assert other.find("first").submission.is_settled is False
        queue.remove("first")
        assert not queue.note(other_than(seen), is_settled=True)
        store.create_search(record("begun"))
        assert not queue.note(queue.find("begun").submission, note="x")
        assert [one.what for one in queue.actions("first")] == ["stopped", "submitted"]

    def test_what_is_removed_is_gone(self, queue: Queue, other: Queue, store: Store):
        """The submission, not the search; the name is free if that is not entered either."""
        queue.submit(submission(), key="k")
        queue.remove("first")
        queue.remove("first")

        assert queue.submitted_with("k") is None
        with pytest.raises(SearchNotFound):
            other.find("first")
        assert other.submit(submission(), key="k")
        store.create_search(record("begun"))
        queue.change("begun", "anna", "paused", wanted=Wish.PAUSE)
        queue.remove("begun")
        assert store.find_search("begun") == record("begun")

    def test_one_service_starts_a_search(
        self, queue: Queue, other: Queue, jump: Callable[[float], None]
    ):
        """Until it gives its claim back, or the claim expires; who has it may renew it."""
        queue.submit(submission())
        assert queue.claim("first", "one", 30)
        assert not other.claim("first", "two", 30)
        assert other.find("first").claimed_by == "one"
        jump(29)
        assert queue.claim("first", "one", 30)
        jump(29)
        other.unclaim("first", "two")
        assert not other.claim("first", "two", 30)
        jump(2)
        assert other.find("first").claimed_by is None
        assert other.claim("first", "two", 30)
        assert not queue.claim("first", "one", 30)
        other.unclaim("first", "two")
        assert queue.claim("first", "one", 30)
        assert not queue.claim("nobody", "one", 30)

    def test_its_clock_is_the_database_s(self, queue: Queue, other: Queue):
        """Seconds since 1970, the same for all."""
        before = queue.now()
        assert before > 1.7e9
        assert 0 <= other.now() - before < 60

    def test_actions_are_told_newest_first(self, queue: Queue, other: Queue):
        """As many as are asked for, of one search, also of one that is gone."""
        for number in range(4):
            queue.act("the service", "started", "first", f"number {number}")
        queue.act("the service", "started", "second")

        assert [one.detail for one in other.actions("first", limit=3)] == [
            "number 3", "number 2", "number 1",
        ]  # fmt: skip
        (only,) = other.actions("second")
        assert only.at.tzinfo is UTC
        assert (only.who, only.what, only.search, only.detail) == (
            "the service", "started", "second", "",
        )  # fmt: skip

    def test_an_unknown_name_is_refused(self, queue: Queue, store: Store):
        """With the nearest known one."""
        store.create_search(record("first"))
        for call in (
            lambda: queue.find("frist"),
            lambda: queue.change("frist", "anna", "paused", wanted=Wish.PAUSE),
        ):
            with pytest.raises(SearchNotFound, match="did you mean 'first'"):
                call()
        assert queue.actions("frist") == []


def other_than(seen: Submission) -> Submission:
    """Give it with the wish that it has now."""
    return replace(seen, wanted=Wish.STOP)
