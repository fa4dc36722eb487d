"""What a service works with: its database, what may be asked of it, and from where."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module, util
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from db.service.access import Access
from vlga.ports.queue import Queue

__all__ = ["Options", "Service", "pages"]


@dataclass(frozen=True, slots=True)
class Options:
    """How a service is reached, and how far it goes.

    Attributes:
        host: address that it listens on.
        port: that it listens on, and that the name of its cookie has.
        allowed_hosts: names by which it may be called, besides this machine's own.
        is_secure: whether browsers reach it by TLS.
        n_waiting: most submissions that have something left to do.
        n_streams: most streams of live events at a time.
        poll_seconds: from one look at the database to the next, for all streams together.
    """

    host: str = "127.0.0.1"
    port: int = 8642
    allowed_hosts: tuple[str, ...] = ()
    is_secure: bool = False
    n_waiting: int = 1000
    n_streams: int = 200
    poll_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Service:
    """What each answer is made from.

    Attributes:
        engine: of the database, open.
        queue: in the same database.
        access: in the same database.
        roots: folders of images that may be searched on, resolved.
        options: see `Options`.
        supervisor: what carries out the queue, or None if another service does.
        logs: folder of the searches' logs, each ``NAME.log``.
    """

    engine: Engine
    queue: Queue
    access: Access
    roots: tuple[Path, ...] = ()
    options: Options = field(default_factory=Options)
    supervisor: Any = None
    logs: Path = Path("vlga-logs")


def pages() -> Any:
    """Give the module of the pages, which is loaded late: it needs what is here. None without."""
    name = "vlga.service.pages"
    return None if util.find_spec(name) is None else import_module(name)
