"""A service in this process, asked without a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from starlette.testclient import TestClient

from db.service.access import Access
from db.service.queue import SqlQueue
from vlga.service.app import create_app
from vlga.service.context import Options, Service

#: Where a client of a service asks.
HOST = "http://127.0.0.1:8642"


def make_service(engine: Engine, roots: tuple[Path, ...] = (), **options: Any) -> Service:
    """Give a service of a database, without a supervisor."""
    options.setdefault("poll_seconds", 0.02)
    made = Service(engine, SqlQueue(engine), Access(engine), roots)
    return replace(made, options=Options(**options))


@contextmanager
def asking(service: Service, token: str | None = None) -> Iterator[TestClient]:
    """Give a client that follows no redirect, with a token or without."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    with TestClient(
        create_app(service),
        base_url=HOST,
        headers=headers,
        follow_redirects=False,
        raise_server_exceptions=True,
    ) as client:
        yield client
