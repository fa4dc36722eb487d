"""Live events: what has changed, once; outcomes without a gap; an end in time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import event

from db.store import SqlStore
from tests.support.records import candidate, evaluation, record
from tests.support.service import asking, make_service
from vlga.ports.queue import Wish
from vlga.service.context import Service
from vlga.service.events import Live, Watcher

_N = 130


@pytest.fixture
def store(tmp_path) -> Iterator[SqlStore]:
    """A search of 130 outcomes, and another one."""
    with closing(SqlStore(f"sqlite:///{tmp_path}/vlga.db")) as store:
        for name in ("one", "two"):
            store.create_search(record(name))
        store.add_candidates("one", [candidate(number) for number in range(_N + 10)])
        store.add_evaluations("one", [evaluation(number, epochs=0) for number in range(_N)])
        yield store


def _watch(service: Service, story: Callable[[Live], Awaitable[None]]) -> None:
    """Run a story with live events, of which each part must come within a few seconds."""

    async def run() -> None:
        live = Live(service)
        async with live.running(), asyncio.timeout(30):
            await story(live)

    asyncio.run(run())


async def _read(stream: AsyncIterator[bytes]) -> AsyncIterator[dict[str, Any]]:
    """Give the events of a stream, each with its `kind` and `id`."""
    async for part in stream:
        for one in part.decode().strip().split("\n\n"):
            lines = dict(line.split(": ", 1) for line in one.splitlines() if ": " in line)
            if "event" in lines:
                yield {**json.loads(lines["data"]), "kind": lines["event"], "id": lines.get("id")}


async def _next(events: AsyncIterator[dict[str, Any]], kind: str, n: int = 1) -> list[Any]:
    """Wait for so many events of a kind."""
    found: list[Any] = []
    while len(found) < n:
        one = await anext(events)
        found += [one] * (one["kind"] == kind)
    return found


def test_whoever_watches_all_is_told_what_changes(store: SqlStore):
    """At first where each search stands, then only what has changed, and what is gone."""
    service = make_service(store.engine)

    async def story(live: Live) -> None:
        stream = _read(live.follow(Watcher(None, 0)))
        first = await _next(stream, "search", 2)
        assert {one["name"] for one in first} == {"one", "two"}
        assert first[0].keys() >= {"state", "evaluations", "best_fitness", "progress"}
        service.queue.change("two", "me", "paused", wanted=Wish.PAUSE)
        (changed,) = await _next(stream, "search")
        assert (changed["name"], changed["state"], changed["wanted"]) == ("two", "paused", "pause")
        other = _read(live.follow(Watcher(None, 0)))
        assert len(await _next(other, "search", 2)) == 2
        from db.upkeep.delete import delete_search

        delete_search(store.engine, "two")
        service.queue.remove("two")
        assert (await _next(stream, "gone"))[0]["name"] == "two"

    _watch(service, story)


@pytest.mark.parametrize("after", [0, 1, 77, _N])
def test_outcomes_come_without_a_gap(store: SqlStore, after: int):
    """From after the last that is known, in batches, also to two who know different ones."""
    service = make_service(store.engine)

    async def story(live: Live) -> None:
        slow, new = (_read(live.follow(Watcher("one", number))) for number in (after, _N))
        ids: list[int] = []
        await _next(slow, "search")
        await _next(new, "search")
        while len(ids) < _N - after:
            (batch,) = await _next(slow, "outcomes")
            assert len(batch["items"]) <= 50
            ids += [row["id"] for row in batch["items"]]
            assert batch["id"] == str(ids[-1])
        assert ids == list(range(after + 1, _N + 1))
        store.add_evaluations("one", [evaluation(_N), evaluation(_N + 1)])
        for stream in (slow, new):
            (batch,) = await _next(stream, "outcomes")
            assert [row["candidate_id"] for row in batch["items"]] == [_N, _N + 1]

    _watch(service, story)


def test_a_hundred_watchers_cost_the_database_as_much_as_one(store: SqlStore):
    """One look for all; none while nobody watches."""
    service = make_service(store.engine)
    asked: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda _c, _k, text, *_: asked.append(text))

    async def cost(live: Live, n: int) -> float:
        watchers = [live.follow(Watcher(None, 0)) for _ in range(n)]
        streams = [_read(one) for one in watchers]
        for stream in streams:
            await _next(stream, "search", 2)
        before, looks = len(asked), 5
        for number in range(looks):
            service.queue.change("one", "me", "changed", priority=number, note=f"{n} {number}")
            for stream in streams:
                await _next(stream, "search")
        for watcher in watchers:
            await watcher.aclose()  # type: ignore[attr-defined]
        return (len(asked) - before) / looks

    async def story(live: Live) -> None:
        assert not asked
        one, many = await cost(live, 1), await cost(live, 100)
        assert many < 20 * one

    _watch(service, story)


def test_streams_end_with_the_service(store: SqlStore):
    """With a goodbye."""

    async def story(live: Live) -> None:
        streams = [_read(live.follow(Watcher(None, 0))) for _ in range(50)]
        for stream in streams:
            await _next(stream, "search", 2)
        live.close()
        for stream in streams:
            await _next(stream, "bye")
            with pytest.raises(StopAsyncIteration):
                await anext(stream)
        assert live.n_watchers == 0

    _watch(make_service(store.engine), story)


def test_an_unknown_search_and_too_many_watchers_are_refused(store: SqlStore):
    """Before a stream begins."""
    service = make_service(store.engine, n_streams=0)
    with asking(make_service(store.engine), service.access.create("anna")) as client:
        assert client.get("/api/v1/events?search=twoo").status_code == 404
        number = {"Last-Event-ID": "x"}
        assert client.get("/api/v1/events?search=one", headers=number).status_code == 422
    with asking(service, service.access.create("bert")) as client:
        full = client.get("/api/v1/events")
        assert (full.status_code, full.headers["retry-after"]) == (503, "5")
