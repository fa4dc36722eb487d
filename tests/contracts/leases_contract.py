"""The contract of the port `Leases`: one writer at a time. `other` is a second driver.

Who keeps it is in test_leases.py.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC
from typing import Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.records import candidate, evaluation, record
from vlga.errors import LeaseLost, SearchNotFound
from vlga.ports.lease import Holder, Leases, Stop
from vlga.ports.ledger import Artifact, Ledger

Jump = Callable[[float], None]

ANNA = Holder("a" * 32, "anna's", 11, "boot pid:[1] 111")
BERT = Holder("b" * 32, "bert's", 22, "")
WEIGHTS = Artifact(0, "weights", "weights/0.pt", "ab" * 32, 10)


class Store(Ledger, Leases, Protocol):
    """Both ports on one database, as a driver has them."""


def writes(store: Store) -> list[Callable[[], object]]:
    """Give a call of everything that writes to the search `first`."""
    return [
        lambda: store.update_search("first", seconds=9.0),
        lambda: store.add_candidates("first", [candidate(1)]),
        lambda: store.add_evaluations("first", [evaluation(0)], [WEIGHTS], seconds=9.0),
        lambda: store.renew("first"),
    ]


class LeasesContract:
    """What every store does; a subclass gives two on one database, with the search `first`.

    `jump` moves the database's clock.
    """

    @pytest.fixture(autouse=True)
    def _search(self, store: Store) -> None:
        store.create_search(record("first"))
        store.add_candidates("first", [candidate(0)])

    def test_at_first_nobody_holds_it(self, store: Store):
        """There is no lease, nobody to stop, nothing to give back, and whoever wants may write."""
        assert store.lease("first") is None
        assert not store.request_stop("first", Stop.NOW)
        store.release("first")
        for write in writes(store):
            assert write() is None

    def test_the_lease_says_who_holds_it(self, store: Store, other: Store):
        """Everybody sees the holder as it was given, since when, and that it has not expired."""
        assert store.acquire("first", ANNA, 60)

        for one in (store, other):
            lease = one.lease("first")
            assert lease is not None
            assert (lease.holder, lease.has_expired, lease.stop) == (ANNA, False, None)
            assert lease.since.tzinfo is UTC
            assert str(lease).startswith('process 11 on "anna\'s" since ')

    def test_it_is_given_once(self, store: Store, other: Store):
        """While a lease lasts nobody else gets the search, and nothing changes by asking."""
        store.acquire("first", ANNA, 60)
        before = store.lease("first")

        assert not other.acquire("first", BERT, 60)
        assert not other.acquire("first", BERT, 60, over="c" * 32)
        assert store.lease("first") == before

    def test_only_its_holder_writes(self, store: Store, other: Store):
        """Every write of another store is refused, naming the holder, and leaves nothing."""
        store.acquire("first", ANNA, 60)

        for write in writes(other):
            with pytest.raises(LeaseLost, match="'first' is run by process 11 on \"anna's\" since"):
                write()
        assert store.find_search("first") == record("first")
        assert store.candidates("first") == [candidate(0)]
        assert store.evaluations("first") == store.artifacts("first") == []
        for write in writes(store):
            write()
        assert store.find_search("first").seconds == 9.0
        assert len(store.evaluations("first")) == 1

    @pytest.mark.parametrize("seconds", [61, 86_400 * 365])
    def test_it_expires(self, store: Store, other: Store, jump: Jump, seconds: float):
        """After its seconds, or when the clock jumps, another takes over; the first is out."""
        store.acquire("first", ANNA, 60)
        jump(59)
        assert not other.acquire("first", BERT, 60)
        jump(seconds - 59)
        lease = other.lease("first")
        assert lease is not None
        assert lease.has_expired
        assert other.acquire("first", BERT, 60)

        for write in writes(store):
            with pytest.raises(LeaseLost, match='is run by process 22 on "bert\'s" since'):
                write()
        for write in writes(other):
            write()

    def test_a_clock_that_jumps_back_lets_nobody_else_in(
        self, store: Store, other: Store, jump: Jump
    ):
        """The holder goes on, nobody else does."""
        store.acquire("first", ANNA, 60)
        jump(-86_400)

        assert not other.acquire("first", BERT, 60)
        store.update_search("first", seconds=1.0)
        jump(86_400 + 59)
        store.update_search("first", seconds=2.0)

    def test_expired_but_not_taken_over_it_is_still_its_holder_s(
        self, store: Store, other: Store, jump: Jump
    ):
        """A holder that was late goes on if nobody came in between, and holds it again."""
        store.acquire("first", ANNA, 60)
        jump(600)
        store.update_search("first", seconds=1.0)

        assert not other.acquire("first", BERT, 60)

    @pytest.mark.parametrize("number", range(4))
    def test_every_write_renews_it(self, store: Store, other: Store, jump: Jump, number: int):
        """After a write it lasts for as long as at first."""
        store.acquire("first", ANNA, 60)
        jump(50)
        writes(store)[number]()
        jump(50)

        assert not other.acquire("first", BERT, 60)
        jump(11)
        assert other.acquire("first", BERT, 60)

    def test_a_dead_one_s_is_taken_over_by_its_token(self, store: Store, other: Store):
        """Whoever knows that the holder is gone need not wait; whoever had it before is out."""
        store.acquire("first", ANNA, 60)

        assert other.acquire("first", BERT, 60, over=ANNA.token)
        with pytest.raises(LeaseLost):
            store.update_search("first", seconds=1.0)
        assert not store.acquire("first", ANNA, 60, over=ANNA.token)

    def test_lost_is_lost(self, store: Store, other: Store, jump: Jump):
        """Also when the one who took it over has ended, the loser does not write again."""
        store.acquire("first", ANNA, 60)
        jump(61)
        other.acquire("first", BERT, 60)
        other.release("first")

        for write in writes(store):
            with pytest.raises(LeaseLost, match="was run by another process meanwhile"):
                write()

    def test_given_back_it_is_free(self, store: Store, other: Store):
        """After `release` there is no lease, and the next may have it at once."""
        store.acquire("first", ANNA, 60)
        store.release("first")

        assert store.lease("first") is None
        assert other.acquire("first", BERT, 60)
        store.release("first")
        assert other.lease("first") is not None

    @pytest.mark.parametrize("status", ["completed", "failed", "interrupted"])
    def test_given_back_running_it_is_interrupted(self, store: Store, status: str):
        """Nothing runs it any more, whatever ended it; an end that is entered stays."""
        store.acquire("first", ANNA, 60)
        store.release("first")
        assert store.find_search("first").status == "interrupted"

        store.acquire("first", ANNA, 60)
        store.update_search("first", status=status)
        store.release("first")
        assert store.find_search("first").status == status

    def test_the_loser_cannot_give_back_the_winner_s(self, store: Store, other: Store, jump: Jump):
        """`release` ends one's own lease only."""
        store.acquire("first", ANNA, 60)
        jump(61)
        other.acquire("first", BERT, 60)
        store.release("first")

        lease = other.lease("first")
        assert lease is not None
        assert lease.holder == BERT
        assert other.find_search("first").status == "running"

    def test_a_wish_to_stop_reaches_the_holder(self, store: Store, other: Store):
        """`renew` gives it, the stronger of two whatever their order, until the lease ends."""
        store.acquire("first", ANNA, 60)
        assert store.renew("first") is None
        for asked, expected in (
            (Stop.DRAIN, Stop.DRAIN),
            (Stop.NOW, Stop.NOW),
            (Stop.DRAIN, Stop.NOW),
        ):
            assert other.request_stop("first", asked)
            assert store.renew("first") is expected
            lease = other.lease("first")
            assert lease is not None
            assert lease.stop is expected

        assert other.acquire("first", BERT, 60, over=ANNA.token)
        assert other.renew("first") is None

    def test_leases_of_two_searches_do_not_mix(self, store: Store, other: Store):
        """Each is held, asked to stop and given back by itself."""
        store.create_search(record("second"))
        store.acquire("first", ANNA, 60)
        assert other.acquire("second", BERT, 60)
        other.request_stop("first", Stop.NOW)

        assert other.renew("second") is None
        other.update_search("second", seconds=1.0)
        other.release("second")
        assert store.renew("first") is Stop.NOW

    def test_a_search_must_be_there_to_be_held(self, store: Store):
        """An unknown name is refused with the nearest known one."""
        for call in (
            lambda: store.acquire("frist", ANNA, 60),
            lambda: store.renew("frist"),
            lambda: store.release("frist"),
            lambda: store.lease("frist"),
            lambda: store.request_stop("frist", Stop.NOW),
            lambda: store.final_trainings("frist"),
        ):
            with pytest.raises(SearchNotFound, match="did you mean 'first'"):
                call()

    def test_there_are_never_two_writers(self, store: Store, other: Store, jump: Jump):
        """Whatever two drivers and the clock do, only who took the search last writes to it."""
        numbers = itertools.count()
        drivers = st.sampled_from(["store", "other"])
        times = st.sampled_from([-1000.0, 1.0, 59.0, 1000.0])
        steps = st.tuples(st.sampled_from(["acquire", "write", "renew", "release"]), drivers)

        @given(st.lists(steps | st.tuples(st.just("jump"), times), max_size=20))
        @settings(max_examples=40)
        def check(script: list[tuple[str, str | float]]) -> None:
            name = f"search-{next(numbers)}"
            store.create_search(record(name))
            stores, holds, last = {"store": store, "other": other}, set[object](), None
            for number, (step, who) in enumerate(script):
                if isinstance(who, float):
                    jump(who)
                    continue
                driver = stores[who]
                if step == "acquire":
                    holder = Holder(f"{name}/{number}", who, number, "")
                    if driver.acquire(name, holder, 60):
                        last = who
                        holds.add(who)
                elif step == "release":
                    driver.release(name)
                    holds.discard(who)
                    last = None if last == who else last
                else:
                    try:
                        if step == "write":
                            driver.update_search(name, message=who)
                        else:
                            driver.renew(name)
                    except LeaseLost:
                        assert last != who
                        assert last is not None or who in holds
                    else:
                        assert last == who or (last is None and who not in holds)
            for driver in stores.values():
                driver.release(name)

        check()
