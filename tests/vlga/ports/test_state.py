"""The state that is shown, case by case."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.contracts.leases_contract import ANNA
from vlga.ports.lease import Lease, Stop, this_process
from vlga.ports.queue import Seen, Submission, Watched, Wish
from vlga.ports.state import State, queue_places, state, state_of


def watched(wanted: Wish, status: str | None, **values: Any) -> Watched:
    stop, claimed_by = values.pop("stop", None), values.pop("claimed_by", None)
    lease = Lease(ANNA, None, has_expired=False, stop=stop)  # type: ignore[arg-type]
    return Watched(Submission("first", {}, wanted, **values), Seen(status, lease), claimed_by)


@pytest.mark.parametrize(
    ("wanted", "status", "values", "held", "free"),
    [
        (Wish.RUN, None, {}, "starting", "queued"),
        (Wish.RUN, "interrupted", {}, "starting", "queued"),
        (Wish.RUN, "running", {}, "running", "queued"),
        (Wish.RUN, "running", {"n_tries": 1}, "running", "lost"),
        (Wish.RUN, "running", {"stop": Stop.DRAIN}, "pausing", "queued"),
        (Wish.RUN, "running", {"stop": Stop.NOW}, "stopping", "queued"),
        (Wish.RUN, "completed", {}, "completed", "completed"),
        (Wish.RUN, "failed", {}, "starting", "queued"),
        (Wish.RUN, "failed", {"n_tries": 1}, "starting", "failed"),
        (Wish.RUN, "completed", {"changes": ("final.epochs=9",)}, "starting", "queued"),
        (Wish.PAUSE, "running", {}, "pausing", "paused"),
        (Wish.PAUSE, "running", {"stop": Stop.NOW}, "stopping", "paused"),
        (Wish.PAUSE, "completed", {}, "pausing", "completed"),
        (Wish.PAUSE, None, {}, "pausing", "paused"),
        (Wish.STOP, "running", {}, "stopping", "stopped"),
        (Wish.DELETE, "interrupted", {}, "stopping", "stopped"),
    ],
)
def test_of_a_search_of_which_something_is_wanted(wanted, status, values, held, free):
    """While a process holds it, and while none does."""
    seen = watched(wanted, status, **values)

    assert state(seen, is_held=True) == held
    assert state(seen, is_held=False) == free


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wish.RUN, "starting"),
        (Wish.PAUSE, "pausing"),
        (Wish.STOP, "stopping"),
        (Wish.DELETE, "stopping"),
    ],
)
def test_of_a_search_that_a_service_starts(wanted, expected):
    """Its process does not hold it yet."""
    assert state(watched(wanted, None, claimed_by="one"), is_held=False) == expected


@pytest.mark.parametrize(
    ("wanted", "status", "note", "expected"),
    [
        (Wish.RUN, "completed", "", "completed"),
        (Wish.RUN, "completed", "no such images", "completed"),  # by hand, afterwards
        (Wish.RUN, "failed", "", "failed"),
        (Wish.RUN, None, "no such images", "failed"),
        (Wish.RUN, "running", "given up", "failed"),
        (Wish.RUN, "running", "", "lost"),
        (Wish.RUN, "interrupted", "", "stopped"),
        (Wish.PAUSE, "interrupted", "", "paused"),
        (Wish.PAUSE, "running", "", "paused"),
        (Wish.PAUSE, "completed", "", "completed"),
        (Wish.STOP, "running", "", "stopped"),
        (Wish.STOP, "failed", "", "failed"),
    ],
)
def test_of_a_search_of_which_nothing_is_wanted_any_more(wanted, status, note, expected):
    """As its last process left it; one that was begun by hand has had no wish but to run."""
    seen = watched(wanted, status, note=note, is_settled=True)

    assert state(seen, is_held=False) == expected
    if status == "running":
        assert state(seen, is_held=True) == "running"


def test_a_process_of_this_machine_is_looked_up():
    """A lease that has expired is in force while its process lives."""
    lease = Lease(this_process(), None, has_expired=True)  # type: ignore[arg-type]
    alive = Watched(Submission("first", {}), Seen("running", lease))
    elsewhere = replace(alive, seen=Seen("running", replace(lease, holder=ANNA)))

    assert state_of(alive) is State.RUNNING
    assert state_of(elsewhere) is State.QUEUED
    assert state_of(replace(alive, seen=Seen("running"))) is State.QUEUED


def test_only_what_waits_has_a_place():
    """In the order that it is given in."""
    waiting = [Submission("a", {}), Submission("b", {}, Wish.PAUSE), Submission("c", {})]
    assert queue_places([Watched(one, Seen()) for one in waiting]) == {"a": 1, "c": 2}
