import os
import socket
from dataclasses import replace

import pytest

from tests.support.fakes import MemoryStore
from tests.support.records import record
from tests.support.searching import Clock
from vlga.errors import LeaseLost, SearchHeld, StoreError
from vlga.execution.hold import LEASE_SECONDS, RENEW_SECONDS, Hold, held, running
from vlga.ports.lease import Stop, this_process

ME = this_process()
#: Of a process that is known to be gone, and of one of which nothing is known from here.
GONE = replace(ME, token="g", origin=f"{ME.origin.rpartition(' ')[0]} 1", process_id=2**22 + 1)
ELSEWHERE = replace(ME, token="e", host="elsewhere", process_id=7)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(clock):
    """The driver's, with the search `first`."""
    made = MemoryStore()
    made.clock = clock
    made.create_search(record("first"))
    return made


@pytest.fixture
def other(store):
    """Another driver's, on the same database."""
    made = MemoryStore()
    made.searches, made.clock = store.searches, store.clock
    return made


class TestHeld:
    def test_holds_the_search_as_long_as_the_block_takes(self, store):
        """The lease is this process's, and is given back, also after a failure."""
        with pytest.raises(ZeroDivisionError), held(store, "first"):
            lease = store.lease("first")
            assert (lease.holder.host, lease.holder.process_id) == (ME.host, ME.process_id)
            raise ZeroDivisionError
        assert store.lease("first") is None

    @pytest.mark.parametrize("seconds", [0, 10 * LEASE_SECONDS])
    def test_refuses_a_search_whose_process_lives(self, store, other, clock, seconds):
        """It names host, process and since when; that the lease is over changes nothing."""
        with held(store, "first"):
            clock.now += seconds
            message = (
                f"'first' is run by process {os.getpid()} on '{socket.gethostname()}' since "
                r"1970-01-01 00:16:40 UTC; wait for it, or run: vlga stop first"
            )
            with pytest.raises(SearchHeld, match=message), held(other, "first"):
                pass
            assert store.renew("first") is None

    def test_takes_over_what_a_dead_process_held(self, store, other):
        """At once, though the lease is not over."""
        store.acquire("first", GONE, LEASE_SECONDS)

        with held(other, "first"):
            assert other.lease("first").holder.process_id == ME.process_id
            with pytest.raises(LeaseLost):
                store.update_search("first", seconds=1.0)

    def test_waits_for_the_lease_of_another_machine(self, store, other, clock):
        """Nobody knows whether its process lives, until it has not renewed for so long."""
        store.acquire("first", ELSEWHERE, LEASE_SECONDS)
        clock.now += LEASE_SECONDS - 1
        with pytest.raises(SearchHeld, match="by process 7 on 'elsewhere' since"):
            held(other, "first").__enter__()

        clock.now += 1
        with held(other, "first"):
            assert other.lease("first").holder.host == ME.host

    def test_ends_quietly_where_the_database_is_gone(self, store, monkeypatch):
        """A lease that cannot be given back expires; what the block did stands."""

        def fail(_):
            raise StoreError("no answer")

        monkeypatch.setattr(store, "release", fail)
        with held(store, "first"):
            pass
        assert store.lease("first") is not None


class TestHold:
    def test_is_renewed_when_it_is_time(self, store, other, clock):
        """However long nothing is written, the lease does not end."""
        store.acquire("first", ELSEWHERE, LEASE_SECONDS)
        hold = Hold(store, "first", clock)
        for _ in range(int(10 * LEASE_SECONDS / RENEW_SECONDS)):
            clock.now += RENEW_SECONDS
            assert hold.check() is None

        assert not other.acquire("first", ME, LEASE_SECONDS)

    def test_asks_the_database_no_more_often(self, store, clock, monkeypatch):
        """Checks in between cost nothing."""
        renewals = []
        monkeypatch.setattr(store, "renew", renewals.append)
        hold = Hold(store, "first", clock)
        for _ in range(100):
            clock.now += RENEW_SECONDS / 10
            hold.check()

        assert 9 <= len(renewals) <= 10

    @pytest.mark.parametrize("jump", [-1e6, 1e6])
    def test_does_not_care_what_the_driver_s_clock_says(self, store, other, jump):
        """The lease is renewed after any jump, and never longer than the database's clock says."""
        driver_s = Clock()
        store.acquire("first", ELSEWHERE, LEASE_SECONDS)
        hold = Hold(store, "first", driver_s)
        store.clock.now += LEASE_SECONDS - 1
        driver_s.now += jump
        hold.check()
        store.clock.now += LEASE_SECONDS - 1
        assert not other.acquire("first", ME, LEASE_SECONDS)

        store.clock.now += 2
        assert other.acquire("first", ME, LEASE_SECONDS)
        driver_s.now -= jump
        with pytest.raises(LeaseLost):
            hold.check()

    def test_hears_of_a_wish_to_stop(self, store, other, clock):
        """With the next renewal; a stronger wish replaces a weaker one, not the other way."""
        store.acquire("first", ME, LEASE_SECONDS)
        hold = Hold(store, "first", clock)
        other.request_stop("first", Stop.DRAIN)
        assert hold.check() is None
        clock.now += RENEW_SECONDS
        assert hold.check() is Stop.DRAIN

        hold.ask(Stop.NOW)
        clock.now += RENEW_SECONDS
        assert hold.check() is Stop.NOW


@pytest.mark.parametrize(
    ("holder", "seconds", "is_running"),
    [
        (None, 0, False),
        (ME, 0, True),
        (ME, 2 * LEASE_SECONDS, True),
        (GONE, 0, False),
        (ELSEWHERE, 0, True),
        (ELSEWHERE, 2 * LEASE_SECONDS, False),
    ],
)
def test_a_search_runs_as_long_as_its_process_may_live(store, clock, holder, seconds, is_running):
    """The dead do not run, nor who has not been heard of for too long."""
    if holder is not None:
        store.acquire("first", holder, LEASE_SECONDS)
    clock.now += seconds

    lease = running(store, "first")
    assert (lease is not None) == is_running
    assert lease is None or lease.holder == holder
