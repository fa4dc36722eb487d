"""What is done about a search, row by row."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import Any

import pytest

from tests.contracts.leases_contract import ANNA
from vlga.ports.lease import Lease, Stop
from vlga.ports.queue import Seen, Submission, Watched, Wish
from vlga.service.decide import (
    Ask,
    Delete,
    Driver,
    Leave,
    Limits,
    Settle,
    Signal,
    Start,
    decide,
)

NOW = 1e9
GONE = Driver()
STARTING = Driver(is_starting=True, is_here=True)
HERE = Driver(is_holding=True, is_here=True)
ELSEWHERE = Driver(is_holding=True)


def watched(wanted: Wish = Wish.RUN, **values: Any) -> Watched:
    """A submission, of a search with these fields of `Seen`, or with this `stop` in its lease."""
    stop, claimed_by = values.pop("stop", None), values.pop("claimed_by", None)
    of_seen = {name: values.pop(name) for name in ("status",) if name in values}
    n_seen = values.pop("n_seen", 0)
    lease = Lease(ANNA, None, has_expired=False, stop=stop)  # type: ignore[arg-type]
    submission = Submission("first", {}, wanted, **values)
    return Watched(submission, Seen(lease=lease, n_outcomes=n_seen, **of_seen), claimed_by)


def what(seen: Watched, driver: Driver, **limits: Any) -> Any:
    return decide(seen, driver, NOW, Limits(**limits))


class TestWhoIsWantedToRun:
    def test_starts_when_there_is_room(self):
        """Once; the next time not before ten seconds, if that ends at once."""
        assert what(watched(), GONE) == Start(1, NOW + 10)
        assert what(watched(), GONE, has_room=False) == Leave()
        assert what(watched(claimed_by="other"), GONE) == Leave()
        assert what(watched(n_tries=1, next_try=NOW + 1), GONE) == Leave()

    @pytest.mark.parametrize("driver", [STARTING, HERE, ELSEWHERE])
    def test_is_left_alone_while_it_runs(self, driver):
        """Whoever started it."""
        assert what(watched(n_tries=1, status="running"), driver) == Leave()

    @pytest.mark.parametrize(("n_tries", "wait"), [(1, 20), (2, 40), (3, 80), (4, 160)], ids=str)
    def test_starts_again_after_twice_as_long(self, n_tries, wait):
        """If it ended for no reason that it gave, without a new outcome."""
        for status, driver in (
            ("running", GONE),
            ("interrupted", replace(GONE, exit_code=1)),
            ("running", replace(GONE, exit_code=-9)),
            (None, replace(GONE, exit_code=1)),
            ("failed", replace(GONE, exit_code=-9)),  # before this run
        ):
            assert what(watched(n_tries=n_tries, status=status), driver) == Start(
                n_tries + 1, NOW + wait
            )

    def test_waits_ten_minutes_at_most(self):
        """However often it may be tried."""
        assert what(watched(n_tries=9), GONE, max_tries=99) == Start(10, NOW + 600)

    def test_is_given_up_after_five_runs_for_nothing(self):
        """With what the last one said; outcomes since the last run began count as progress."""
        lost = watched(n_tries=5, n_outcomes=7, n_seen=7, status="running", note="no cluster")
        given_up = "given up after 5 runs without a new outcome"
        assert what(lost, GONE) == Settle(f"{given_up}: no cluster")
        silent = replace(lost, submission=replace(lost.submission, note=""))
        assert what(silent, GONE) == Settle(given_up)
        went_on = replace(lost, seen=replace(lost.seen, n_outcomes=8))
        assert what(went_on, GONE) == Start(1, NOW + 10)
        went_on = replace(went_on, submission=replace(went_on.submission, next_try=NOW + 1))
        assert what(went_on, GONE) == Start(1, NOW + 10)

    def test_has_failed_at_once_where_trying_is_no_use(self):
        """By a mistake (exit code 2), or with a failure that is stored; the reason is told."""
        broken = watched(n_tries=1, note="no such images")
        assert what(broken, replace(GONE, exit_code=2)) == Settle("no such images")
        failed = watched(n_tries=1, status="failed", note="20 trainings failed in a row")
        for exit_code in (None, 1):
            driver = replace(GONE, exit_code=exit_code)
            assert what(failed, driver) == Settle("20 trainings failed in a row")
        silent = watched(n_tries=1, status="failed")
        code = "its process ended with exit code 1; its log says why"
        assert what(silent, replace(GONE, exit_code=1)) == Settle(code)
        assert what(silent, GONE) == Settle("its process ended; its log says why")

    def test_is_done_when_it_is_completed(self):
        """But goes on if it was resumed since, or has changes that no run has taken yet."""
        assert what(watched(n_tries=1, status="completed"), GONE) == Settle()
        for more in ({"n_tries": 0}, {"n_tries": 1, "changes": ("budget.epochs=9",)}):
            assert isinstance(what(watched(status="completed", **more), GONE), Start)
        assert isinstance(what(watched(status="failed"), GONE), Start)


class TestWhoIsWantedToEnd:
    @pytest.mark.parametrize(
        ("wanted", "stop"),
        [(Wish.PAUSE, Stop.DRAIN), (Wish.STOP, Stop.NOW), (Wish.DELETE, Stop.NOW)],
    )
    def test_is_asked_until_the_lease_says_so(self, wanted, stop):
        """A lease that was taken since is empty; a stronger request is left."""
        for driver in (HERE, ELSEWHERE):
            assert what(watched(wanted), driver) == Ask(stop)
            assert what(watched(wanted, stop=stop), driver) == Leave()
            assert what(watched(wanted, stop=Stop.NOW), driver) == Leave()
        assert what(watched(Wish.STOP, stop=Stop.DRAIN), HERE) == Ask(Stop.NOW)
        assert what(watched(wanted), STARTING) == Leave()

    @pytest.mark.parametrize("wanted", [Wish.STOP, Wish.DELETE])
    @pytest.mark.parametrize("driver", [STARTING, HERE])
    def test_is_signalled_where_it_does_not_end(self, wanted, driver):
        """SIGTERM after 10 s and, since the first lets it finish, after 12; SIGKILL after 30."""
        asked = watched(wanted, stop=Stop.NOW)
        for seconds, n_terms, expected in (
            (9.9, 0, Leave()),
            (10.0, 0, Signal(signal.SIGTERM)),
            (11.9, 1, Leave()),
            (12.0, 1, Signal(signal.SIGTERM)),
            (12.0, 0, Signal(signal.SIGTERM)),
            (29.9, 2, Leave()),
            (30.0, 2, Signal(signal.SIGKILL)),
            (99.0, 0, Signal(signal.SIGKILL)),
        ):
            late = replace(driver, asked_seconds=seconds, n_terms=n_terms)
            assert what(asked, late) == expected
        assert what(asked, replace(ELSEWHERE, asked_seconds=99.0)) == Leave()

    def test_one_that_is_paused_finishes_what_it_trains(self):
        """However long that takes."""
        drains = watched(Wish.PAUSE, stop=Stop.DRAIN)
        assert what(drains, replace(HERE, asked_seconds=1e6)) == Leave()

    @pytest.mark.parametrize("status", [None, "running", "interrupted", "failed", "completed"])
    def test_is_at_rest_when_nobody_runs_it(self, status):
        """Whatever its process has left; while another service starts it, that one sees to it."""
        for wanted, done in (
            (Wish.PAUSE, Settle()),
            (Wish.STOP, Settle()),
            (Wish.DELETE, Delete()),
        ):
            assert what(watched(wanted, status=status, n_tries=5), GONE) == done
            assert what(watched(wanted, status=status, claimed_by="other"), GONE) == Leave()
