"""The small search of `tests.db`, on SQLite and on Postgres."""

from __future__ import annotations

from tests.db.conftest import engine, url

__all__ = ["engine", "url"]
