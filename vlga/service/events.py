"""Live events (server-sent): what has changed, told to everybody who watches.

One poller looks at the database for all of them, only while somebody watches. Events are hints: who
gets one asks for what it shows. Only the outcomes of a search that is watched alone come in full,
without a gap: a search has one writer, so that their numbers are in the order of recording.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response, StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from db.read.outcomes import evaluations_page, newest_evaluation
from db.read.overview import searches_named, searches_page
from vlga.errors import SearchNotFound, VlgaError
from vlga.service.api.rest import NAME_PATTERN, Using, responses
from vlga.service.context import Service
from vlga.service.errors import problem

__all__ = ["Live", "router"]

logger = logging.getLogger(__name__)

router = APIRouter()

_PING_SECONDS = 15.0
#: Without a search's name, so many of the newest are watched.
_NEWEST = 200
_OUTCOMES_AT_ONCE, _BATCHES_AT_ONCE = 50, 20
#: What waits for one watcher. A search's summary waits once: a later one takes its place.
_MOST_WAITING = 500

_SUMMARY = (
    "name", "state", "status", "evaluations", "best_fitness", "test_accuracy", "seconds",
    "updated_at", "wanted", "note",
)  # fmt: skip
_PROGRESS = (
    "phase", "generation", "n_running", "done_fraction", "seconds_left", "trainings_per_minute",
    "moment",
)  # fmt: skip


@dataclass(eq=False, slots=True)
class Watcher:
    """Somebody who watches one search, or all of them.

    Attributes:
        search: its name, or None.
        after: number of the last outcome that was put into `waiting`.
        waiting: events by what they are about, in order.
        wake: set when there are some.
    """

    search: str | None
    after: int
    waiting: dict[str, bytes] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, about: str, event: bytes) -> None:
        """Let an event wait, in place of a former one about the same."""
        self.waiting.pop(about, None)
        self.waiting[about] = event
        self.wake.set()


class Live:
    """The watchers of a service, and what they are told."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._watchers: set[Watcher] = set()
        self._told: dict[str, bytes] = {}
        self._somebody = asyncio.Event()
        self._is_closing = False

    @property
    def n_watchers(self) -> int:
        """How many watch."""
        return len(self._watchers)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look at the database during the block, while somebody watches."""
        task = asyncio.create_task(self._poll())
        try:
            yield
        finally:
            self.close()
            task.cancel()

    def close(self) -> None:
        """Say goodbye to everybody who watches; their streams end."""
        self._is_closing = True
        for watcher in self._watchers:
            watcher.put("bye", _event("bye", {}))

    async def follow(self, watcher: Watcher) -> AsyncIterator[bytes]:
        """Give the events of a watcher until it goes, or the service ends."""
        self._watchers.add(watcher)
        self._somebody.set()
        try:
            yield b"retry: 2000\n\n"
            for name, event in self._told.items():
                if watcher.search in (None, name):
                    watcher.put(f"search {name}", event)
            while not self._is_closing or watcher.waiting:
                try:
                    await asyncio.wait_for(watcher.wake.wait(), _PING_SECONDS)
                except TimeoutError:
                    yield KEEPALIVE_COMMENT
                    continue
                waiting, watcher.waiting = watcher.waiting, {}
                watcher.wake.clear()
                yield b"".join(waiting.values())
                if "bye" in waiting:
                    return
        finally:
            self._watchers.discard(watcher)

    async def _poll(self) -> None:
        while not self._is_closing:
            if not self._watchers:
                self._told.clear()
                self._somebody.clear()
                await self._somebody.wait()
            try:
                await self._look()
            except VlgaError as error:
                logger.warning("live events wait: %s", error)
            await asyncio.sleep(self._service.options.poll_seconds)

    async def _look(self) -> None:
        """Look at the database once, and tell everybody what has changed."""
        watchers = [*self._watchers]
        names = {one.search for one in watchers if one.search is not None}
        wants_all = any(one.search is None for one in watchers)
        rows = await run_sync(_rows, self._service, names, wants_all)
        there = {row["name"] for row in rows}
        for row in rows:
            event = _event("search", _summary(row))
            if self._told.get(row["name"]) != event:
                self._told[row["name"]] = event
                self._tell(row["name"], "search", event)
        missing = [name for name in self._told if name not in there]
        if missing:
            left = {row["name"] for row in await run_sync(_named, self._service, missing)}
            for name in missing:
                del self._told[name]
                if name not in left:
                    self._tell(name, "gone", _event("gone", {"name": name}))
        for name in names & there:
            await self._tell_outcomes(name, [one for one in watchers if one.search == name])

    def _tell(self, name: str, what: str, event: bytes) -> None:
        for watcher in self._watchers:
            if watcher.search in (None, name):
                watcher.put(f"{what} {name}", event)

    async def _tell_outcomes(self, name: str, watchers: Iterable[Watcher]) -> None:
        """Give each watcher of a search the outcomes after its last, if it takes them."""
        ready = [one for one in watchers if len(one.waiting) < _MOST_WAITING]
        if not ready:
            return
        after = min(one.after for one in ready)
        for _ in range(_BATCHES_AT_ONCE):
            page = await run_sync(_outcomes, self._service, name, after)
            if not page:
                return
            after = page[-1]["id"]
            for watcher in ready:
                news = [row for row in page if row["id"] > watcher.after]
                if news:
                    watcher.after = after
                    event = _event("outcomes", {"items": news}, number=after)
                    watcher.put(f"outcomes {after}", event)
            if len(page) < _OUTCOMES_AT_ONCE:
                return


@router.get(
    "/api/v1/events",
    response_class=StreamingResponse,
    responses={**responses(401, 404, 421, 422, 503), 200: {"content": {"text/event-stream": {}}}},
)
async def events(
    request: Request,
    service: Using,
    search: Annotated[str | None, Query(max_length=180, pattern=NAME_PATTERN)] = None,
    last_event_id: Annotated[int | None, Header(ge=0, lt=2**63)] = None,
) -> Response:
    """Watch one search, or all: `search` when one has changed, `gone`, and `bye` at the end.

    With the name of a search also `outcomes`, those after `Last-Event-ID` or else new ones.
    """
    live: Live = request.app.state.live
    if live.n_watchers >= service.options.n_streams:
        most = service.options.n_streams
        return problem(
            503, "streams", f"at most {most} may watch at a time, and so many do; try again later"
        )
    after = 0
    if search is not None:
        await run_sync(service.queue.find, search)
        after = await run_sync(_newest, service, search)
        if last_event_id is not None:
            after = last_event_id
    stream = live.follow(Watcher(search, after))
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


def _rows(service: Service, names: set[str], wants_all: bool) -> list[dict[str, Any]]:
    rows = searches_page(service.engine, limit=_NEWEST).items if wants_all else []
    others = names - {row["name"] for row in rows}
    return [*rows, *_named(service, others)]


def _named(service: Service, names: Iterable[str]) -> list[dict[str, Any]]:
    wanted = [*names]
    return searches_named(service.engine, wanted) if wanted else []


def _outcomes(service: Service, name: str, after: int) -> list[dict[str, Any]]:
    try:
        limit = _OUTCOMES_AT_ONCE
        return evaluations_page(service.engine, name, after=after, limit=limit).items
    except SearchNotFound:  # deleted, or not entered yet
        return []


def _newest(service: Service, name: str) -> int:
    try:
        return newest_evaluation(service.engine, name)
    except SearchNotFound:
        return 0


def _summary(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give what an event says of a search, at most a kilobyte."""
    said = row["progress"]
    short = None if said is None else {key: said[key] for key in _PROGRESS if key in said}
    return {**{key: row[key] for key in _SUMMARY}, "note": row["note"][:200], "progress": short}


def _event(kind: str, data: Mapping[str, Any], *, number: int | None = None) -> bytes:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return format_sse_event(event=kind, data_str=text, id=None if number is None else str(number))
