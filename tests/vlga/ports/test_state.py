"""The one word for a search's state, by what is wanted and what is so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.support.command import GONE, ME
from vlga.ports.lease import Lease, Stop
from vlga.ports.queue import Seen, Submission, Watched, Wish
from vlga.ports.state import STATES, state_of

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_HELD = Lease(ME, _NOW, has_expired=False)
_DEAD = Lease(GONE, _NOW, has_expired=False)


@pytest.mark.parametrize(
    ("wanted", "is_settled", "status", "lease", "state"),
    [
        (Wish.RUN, False, None, None, "queued"),
        (Wish.RUN, False, "interrupted", None, "queued"),
        (Wish.RUN, False, "interrupted", _HELD, "starting"),
        (Wish.RUN, True, "running", _HELD, "running"),
        (Wish.RUN, True, "running", Lease(ME, _NOW, False, Stop.DRAIN), "pausing"),
        (Wish.RUN, True, "running", Lease(ME, _NOW, False, Stop.NOW), "stopping"),
        (Wish.PAUSE, False, "running", _HELD, "pausing"),
        (Wish.STOP, False, "running", _HELD, "stopping"),
        (Wish.DELETE, False, "running", _HELD, "stopping"),
        (Wish.DELETE, False, "completed", None, "stopping"),
        (Wish.PAUSE, False, None, None, "paused"),
        (Wish.PAUSE, True, "interrupted", None, "paused"),
        (Wish.PAUSE, True, "completed", None, "completed"),
        (Wish.STOP, True, "running", _DEAD, "stopped"),
        (Wish.RUN, True, "running", _DEAD, "lost"),
        (Wish.RUN, True, "running", None, "lost"),
        (Wish.RUN, True, "interrupted", None, "stopped"),
        (Wish.RUN, True, "failed", None, "failed"),
        (Wish.RUN, True, "completed", None, "completed"),
        (Wish.RUN, True, None, None, "failed"),
    ],
)
def test_a_state_follows_from_wish_status_and_lease(
    wanted: Wish, is_settled: bool, status: str | None, lease: Lease | None, state: str
):
    """Who holds a search decides first, then what is left to do, then how it ended."""
    submission = Submission("one", {}, wanted, is_settled=is_settled)

    assert state in STATES
    assert state_of(Watched(submission, Seen(status, lease))) == state


def test_a_dead_process_is_lost_until_the_search_is_started_again():
    """Tried before and stored as running: lost; claimed by a service: starting."""
    tried = Submission("one", {}, n_tries=1)

    assert state_of(Watched(tried, Seen("running", _DEAD))) == "lost"
    assert state_of(Watched(tried, Seen("running", _DEAD), "service")) == "starting"
