"""Two services, their processes and what can happen to them, against a fake clock."""

from __future__ import annotations

import itertools
import signal
from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from tests.support.fake_queue import MemoryQueue
from tests.support.fakes import MemoryStore
from tests.support.records import candidate, evaluation, record
from vlga.errors import LeaseLost, SearchNotFound
from vlga.execution.hold import LEASE_SECONDS
from vlga.ports.lease import Holder, Stop
from vlga.ports.queue import Submission, Wish, wish
from vlga.ports.state import State, state
from vlga.service.decide import Limits
from vlga.service.rounds import Rounds

KINDS = st.sampled_from(["good", "good", "stubborn", "deaf", "broken", "crashing"])
#: Outcomes with which a search is complete.
WHOLE = 3


@dataclass
class FakeProcess:
    """What `vlga run NAME` does, step by step, and how it obeys.

    Attributes:
        name: of its search.
        place: of its host; a host that was restarted is another place.
        kind: ``good``, ``deaf`` to requests by the lease, ``stubborn`` to SIGTERM too, ``broken``
            (exit code 2 before it is entered) or ``crashing`` (dies before it has an outcome).
        code: exit code, or None.
    """

    world: World
    name: str
    place: str
    kind: str
    process_id: int
    code: int | None = None
    store: MemoryStore = field(init=False)
    is_holding: bool = False
    n_terms: int = 0

    def __post_init__(self) -> None:
        self.store = MemoryStore()
        self.store.searches, self.store.clock = self.world.store.searches, self.world.store.clock

    @property
    def holder(self) -> Holder:
        return Holder(f"token-{self.process_id}", self.place, self.process_id, self.place)

    def poll(self) -> int | None:
        return self.code

    def signal(self, number: signal.Signals) -> None:
        if self.code is not None:
            return
        if number is signal.SIGKILL:
            self.code = -9
        elif not self.is_holding and self.kind != "stubborn":
            self.code = -15
        elif self.kind != "stubborn":
            self.n_terms += 1

    def step(self) -> None:
        """Go on a little."""
        if self.code is not None:
            return
        try:
            self._work() if self.is_holding else self._begin()
        except LeaseLost:
            self.code = 1

    def _begin(self) -> None:
        queue, store = self.world.queue, self.store
        try:
            queue.find(self.name)
        except SearchNotFound:
            self.code = 2
            return
        if self.kind == "broken":
            self.code = 2
            return
        if self.name not in store.searches:
            store.create_search(record(self.name))
        lease = store.lease(self.name)
        over = None
        if lease is not None and self.world.lives(lease.holder, self.place) is False:
            over = lease.holder.token
        if not store.acquire(self.name, self.holder, LEASE_SECONDS, over=over):
            self.code = 1
            return
        self.is_holding = True
        submission = queue.find(self.name).submission
        if submission.wanted is not Wish.RUN or submission.is_settled:
            self._end("interrupted", 130)
        elif store.find_search(self.name).status == "completed" and not submission.changes:
            self._end("completed", 0)
        else:
            store.update_search(self.name, status="running")
            while submission.changes and not queue.note(submission, changes=()):
                submission = queue.find(self.name).submission

    def _work(self) -> None:
        asked = self.store.renew(self.name)
        if self.n_terms or (asked is not None and self.kind not in ("deaf", "stubborn")):
            self._end("interrupted", 130)
        elif self.kind == "crashing":
            self.code = -11
        elif self.kind != "stubborn":
            number = len(self.store.evaluations(self.name))
            self.store.add_candidates(self.name, [candidate(number)])
            self.store.add_evaluations(self.name, [evaluation(number)])
            if number + 1 >= WHOLE:
                self._end("completed", 0)

    def _end(self, status: str, code: int) -> None:
        self.store.update_search(self.name, status=status)
        self.store.release(self.name)
        self.code = code


@dataclass
class FakeHost:
    """A machine with a service."""

    world: World
    place: str

    def start(self, name: str) -> FakeProcess:
        kind = self.world.kinds[name]
        process = FakeProcess(self.world, name, self.place, kind, next(self.world.numbers))
        self.world.processes.append(process)
        return process

    def lives(self, holder: Holder) -> bool | None:
        return self.world.lives(holder, self.place)

    def signal(self, holder: Holder, number: signal.Signals) -> None:
        for process in self.world.processes:
            if process.holder == holder:
                process.signal(number)

    def ask(self, name: str, stop: Stop) -> None:
        self.world.store.request_stop(name, stop)

    def delete(self, name: str) -> None:
        self.world.store.searches.pop(name, None)
        self.world.queue.remove(name)


class World:
    """The database, and all processes that there were."""

    def __init__(self) -> None:
        self.time = 1e9
        self.store = MemoryStore()
        self.store.clock = lambda: self.time
        self.queue = MemoryQueue(self.store)
        self.kinds: dict[str, str] = {}
        self.processes: list[FakeProcess] = []
        self.numbers = itertools.count(1)

    def lives(self, holder: Holder, place: str) -> bool | None:
        """Whether a process is alive, as another one at that place sees it."""
        if holder.origin != place:
            return None
        return any(one.code is None and one.holder == holder for one in self.processes)

    def alive(self, name: str) -> list[FakeProcess]:
        return [one for one in self.processes if one.name == name and one.code is None]


class Services(RuleBasedStateMachine):
    """Whatever happens: never two drivers of a search, every wish reached, no submission lost."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.names = itertools.count()
        self.places = [f"host-{number}" for number in range(2)]
        self.services: list[Rounds | None] = [None, None]
        self.orphans: set[int] = set()
        self.kept: set[str] = set()

    @initialize(submitted=st.lists(st.tuples(KINDS, st.integers(-1, 1)), min_size=1, max_size=3))
    def begin(self, submitted: list[tuple[str, int]]) -> None:
        for number in range(2):
            self.restart(number)
        for kind, priority in submitted:
            self.submit(kind, priority)

    def restart(self, number: int) -> None:
        world = self.world
        self.services[number] = Rounds(
            world.queue,
            FakeHost(world, self.places[number]),
            name=f"service-{next(self.names)}",
            n_searches=2,
            clock=lambda: world.time,
        )

    @rule(kind=KINDS, priority=st.integers(-1, 1))
    @precondition(lambda self: len(self.world.kinds) < 4)
    def submit(self, kind: str, priority: int) -> None:
        name = f"search-{len(self.world.kinds)}"
        self.world.kinds[name] = kind
        assert self.world.queue.submit(Submission(name, {}, priority=priority))
        self.kept.add(name)

    @rule(number=st.integers(0, 3), wanted=st.sampled_from(Wish), changes=st.booleans())
    @precondition(lambda self: self.kept)
    def want(self, number: int, wanted: Wish, changes: bool) -> None:
        name = sorted(self.kept)[number % len(self.kept)]
        more: dict[str, Any] = {"changes": ("budget.epochs=9",)} if changes else {}
        self.world.queue.change(name, "anna", "wished", **wish(wanted, **more))
        if wanted is Wish.DELETE:
            self.kept.discard(name)

    @rule(number=st.integers(0, 1))
    def make_a_round(self, number: int) -> None:
        service = self.services[number]
        if service is not None:
            service()

    @rule(number=st.none() | st.integers(0, 7))
    @precondition(lambda self: self.alive())
    def go_on(self, number: int | None) -> None:
        """A process, or each, does a little."""
        alive = self.alive()
        for one in alive if number is None else [alive[number % len(alive)]]:
            one.step()

    @rule(seconds=st.sampled_from([1.0, 5.0, 20.0, 70.0, 700.0]))
    def wait(self, seconds: float) -> None:
        """Time passes; who holds a search keeps its lease, and services their claims."""
        end = self.world.time + seconds
        while self.world.time < end:
            self.world.time = min(end, self.world.time + 9.0)
            for one in self.world.processes:
                if one.code is None and one.is_holding:
                    one.store.renew(one.name)
            for service in self.services:
                if service is not None:
                    service()

    @rule(number=st.integers(0, 7))
    @precondition(lambda self: self.alive())
    def kill_a_process(self, number: int) -> None:
        alive = self.alive()
        alive[number % len(alive)].code = -9

    @rule(number=st.integers(0, 1))
    def kill_a_service(self, number: int) -> None:
        """Its processes go on; those that hold no search yet nobody knows of any more."""
        self.services[number] = None
        self.orphans |= {
            one.process_id
            for one in self.world.processes
            if one.place == self.places[number] and not one.is_holding
        }

    @rule(number=st.integers(0, 1))
    def kill_a_host(self, number: int) -> None:
        self.kill_a_service(number)
        for one in self.world.processes:
            if one.place == self.places[number] and one.code is None:
                one.code = -9
        self.places[number] += "+"

    @rule(number=st.integers(0, 1))
    def restart_a_service(self, number: int) -> None:
        if self.services[number] is None:
            self.restart(number)

    @invariant()
    def there_is_one_driver(self) -> None:
        """One process at most holds a search; one at most was started that services know of."""
        for name in self.world.kinds:
            alive = self.world.alive(name)
            assert sum(one.is_holding for one in alive) <= 1, alive
            known = [one for one in alive if one.process_id not in self.orphans]
            assert len(known) <= 1, known

    @invariant()
    def no_submission_is_lost(self) -> None:
        assert self.kept <= self.world.queue.rows.keys()

    def alive(self) -> list[FakeProcess]:
        return [one for one in self.world.processes if one.code is None]

    def goes_on(self, name: str) -> bool:
        """Whether a process neither ends by itself nor listens to what is wanted."""
        is_asked = self.wanted(name) in (Wish.RUN, Wish.PAUSE)
        return self.world.kinds[name] == "stubborn" and is_asked

    def wanted(self, name: str) -> Wish:
        return self.world.queue.find(name).submission.wanted

    def teardown(self) -> None:
        """Left alone, every wish is reached."""
        for number in range(2):
            self.restart_a_service(number)
        for _ in range(300):
            self.wait(20.0)
            for one in [*self.world.processes]:
                one.step()
            self.there_is_one_driver()
            if all(self.goes_on(one.submission.name) for one in self.world.queue.unsettled()):
                break
        for name in self.world.kinds:
            self.check_reached(name)

    def check_reached(self, name: str) -> None:
        if name not in self.kept:
            assert name not in self.world.queue.rows
            assert name not in self.world.store.searches
            return
        watched = self.world.queue.find(name)
        shown = state(watched, is_held=bool(self.world.alive(name)))
        kind, wanted = self.world.kinds[name], watched.submission.wanted
        if self.goes_on(name):
            return
        ends = {
            Wish.RUN: {"broken": {State.FAILED}, "crashing": {State.FAILED}}.get(
                kind, {State.COMPLETED}
            ),
            Wish.PAUSE: {State.PAUSED, State.COMPLETED},
            Wish.STOP: {State.STOPPED, State.COMPLETED},
        }
        if watched.submission.n_tries >= Limits(has_room=True).max_tries:
            ends[Wish.RUN] = {State.FAILED}  # killed as often without an outcome
        assert shown in ends[wanted], (shown, watched)
        assert watched.submission.is_settled
        assert not self.world.alive(name)
        assert watched.submission.note or shown is not State.FAILED


TestServices = Services.TestCase
TestServices.settings = settings(max_examples=60, stateful_step_count=40)
