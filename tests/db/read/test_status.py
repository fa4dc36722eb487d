"""What is told of a search that is stored as running."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from db.connection.engine import opened
from db.read.searches import list_searches, show_search
from db.read.status import shown_status
from db.store import SqlStore
from tests.support.records import record
from vlga.ports.lease import Holder, Lease, this_process

HERE = this_process()
DEAD = replace(HERE, origin=HERE.origin + "0")
ELSEWHERE = Holder("a" * 32, "elsewhere", 1, "another boot pid:[1] 1")


@pytest.mark.parametrize(
    ("holder", "has_expired", "expected"),
    [
        (HERE, False, "running"),
        (HERE, True, "running"),  # a long training kept it from renewing
        (DEAD, False, "lost"),
        (DEAD, True, "lost"),
        (ELSEWHERE, False, "running"),
        (ELSEWHERE, True, "lost"),
    ],
)
def test_it_runs_while_its_holder_does(holder, has_expired, expected):
    """A process of this machine as long as it lives, another as long as its lease lasts."""
    lease = Lease(holder, datetime.now(UTC), has_expired)

    assert shown_status("running", lease) == expected


def test_held_by_nobody_it_is_lost():
    """Whoever held it could not write how it ended."""
    assert shown_status("running", None) == "lost"


@pytest.mark.parametrize("status", ["completed", "interrupted", "failed"])
def test_what_has_ended_has_ended(status):
    """Whoever holds it, or nobody: it may be about to be resumed."""
    assert shown_status(status, None) == status
    assert shown_status(status, Lease(HERE, datetime.now(UTC), has_expired=False)) == status


def test_the_database_s_clock_says_whether_another_machine_s_lease_has_expired(url):
    """`list_searches` and `show_search` tell each search by its own lease."""
    with closing(SqlStore(url)) as store:
        for name, seconds in (("expired", -1.0), ("lasting", 60.0)):
            store.create_search(record(name))
            store.acquire(name, ELSEWHERE, seconds)
        store.create_search(replace(record("done"), status="completed"))

    expected = {"done": "completed", "lasting": "running", "expired": "lost"}
    with opened(url) as engine:
        assert {row["name"]: row["status"] for row in list_searches(engine)} == expected
        assert {name: show_search(engine, name)["status"] for name in expected} == expected
