"""The service as an application: who asks is checked, then pages and REST answer."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import select
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db.connection.engine import reading
from db.schema.tables import identity
from vlga import __version__
from vlga.errors import StoreError
from vlga.service import api, auth, events
from vlga.service.auth import Authentication
from vlga.service.context import Options, Service, pages
from vlga.service.errors import RETRY_SECONDS, add_handlers
from vlga.service.events import Live
from vlga.service.guards import Guards

__all__ = ["Options", "Service", "create_app"]

logger = logging.getLogger(__name__)

#: Streams and pictures, and weights, of which parts may be asked for.
_AS_THEY_ARE = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "application/octet-stream")

_probes = APIRouter(include_in_schema=False)


def create_app(service: Service) -> FastAPI:
    """Give the application of a service; `app.state.live.close()` ends its streams."""
    app = FastAPI(
        title="vlga",
        version=__version__,
        description="Finds a good convolutional network for your images by evolution.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # they load code from another host
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.service = service
    app.state.live = Live(service)
    add_handlers(app)
    # Not by include_router, which makes every route once more.
    app.routes.extend([*_probes.routes, *auth.router.routes, *api.routes, *events.router.routes])
    if (found := pages()) is not None:
        app.routes.extend(found.routes)
    # The last one added is asked first.
    app.add_middleware(
        GZipMiddleware, minimum_size=1000, compresslevel=5, exclude_content_types=_AS_THEY_ARE
    )
    app.add_middleware(Authentication, service=service)
    app.add_middleware(Guards, options=service.options)
    app.add_middleware(_Said)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    live: Live = app.state.live
    async with live.running():
        yield


@_probes.get("/healthz")
def healthz() -> dict[str, str]:
    """Say that the service lives."""
    return {"status": "ok"}


@_probes.get("/readyz")
def readyz(request: Request) -> Response:
    """Say whether the database answers."""
    try:
        with reading(request.app.state.service.engine) as connection:
            connection.execute(select(identity))
    except StoreError:
        headers = {"Retry-After": str(RETRY_SECONDS)}
        return JSONResponse({"status": "the database does not answer"}, 503, headers)
    return JSONResponse({"status": "ok"})


class _Said:
    """Says of each request that changes something, or fails, what came of it, without its query."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                _say(scope, message["status"], time.monotonic() - began)
            await send(message)

        await self._app(scope, receive, answer)


def _say(scope: Scope, status: int, seconds: float) -> None:
    level = logging.DEBUG
    if scope["method"] not in ("GET", "HEAD", "OPTIONS"):
        level = logging.INFO
    if status >= 500:
        level = logging.WARNING
    token: Any = scope.get("state", {}).get("token")
    who = "somebody" if token is None else token.name
    logger.log(
        level, "%s %s by %s: %d in %.3f s", scope["method"], scope["path"], who, status, seconds
    )
