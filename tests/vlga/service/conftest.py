"""The small search of `tests.db` and a service on it, on SQLite and on Postgres."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from tests.db.conftest import engine, url
from tests.support.service import asking, make_service
from vlga.service.context import Service

__all__ = ["engine", "url"]


@pytest.fixture
def service(engine: Engine) -> Service:
    """A service without a supervisor, so that a wish stays one."""
    return make_service(engine)


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    """Whoever asks it with a token that may write."""
    with asking(service, service.access.create("anna")) as client:
        yield client
