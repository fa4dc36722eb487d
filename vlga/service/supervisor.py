"""The supervisor: a thread that brings together what is wanted of searches and what is so."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Engine

from db.connection.engine import disposing, open_engine
from db.service.queue import SqlQueue
from vlga.errors import VlgaError
from vlga.service.child import Machine
from vlga.service.rounds import Rounds

__all__ = ["Supervisor"]

_Done = TypeVar("_Done")

logger = logging.getLogger(__name__)

_ROUND_SECONDS = 1.0
#: How long searches have to end with the service, and how often that is looked at.
_STOP_SECONDS, _LOOK_SECONDS = 20.0, 0.2


class Supervisor:
    """Starts, steers and ends searches as the queue of a database says.

    Searches run as processes of their own, which outlive it: the next supervisor of the database
    knows them by their leases. Several may share a database.

    Args:
        db_url: of the database, which must exist.
        n_searches: that may run on this machine at a time; 0 starts none.
        address: of the Ray cluster that every search uses, whatever was submitted; None leaves
            that as it is.
        inline: whether every search trains in its own process, without Ray.
        stop_searches: whether searches end with it; they always do where it is the first process
            of a container, with which all others are killed.
    """

    def __init__(
        self,
        db_url: str,
        *,
        n_searches: int = 1,
        address: str | None = None,
        inline: bool = False,
        stop_searches: bool = False,
    ) -> None:
        self.name = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
        self._db_url = db_url
        self._n_searches = n_searches
        self._options = [*(["--address", address] if address else []), *["--inline"] * inline]
        self._stop_searches = stop_searches or os.getpid() == 1
        self._wake = threading.Event()
        self._is_closing = False
        self._thread: threading.Thread | None = None
        self._trouble = ""

    def start(self) -> None:
        """Begin.

        Raises:
            StoreError: there is no database that can be used.
        """
        engine = open_engine(self._db_url)
        self._thread = threading.Thread(
            target=self._supervise, args=(engine,), name="supervisor", daemon=True
        )
        self._thread.start()

    def wake(self) -> None:
        """Make the next round now: something else is wanted."""
        self._wake.set()

    def close(self) -> None:
        """End, in a second; if searches are to end with it, in twenty. May be called twice."""
        self._is_closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _supervise(self, engine: Engine) -> None:
        with disposing(engine):
            rounds = Rounds(
                SqlQueue(engine),
                Machine(engine, self._db_url, self._options),
                name=self.name,
                n_searches=self._n_searches,
            )
            while not self._is_closing:
                self._try(rounds)
                self._wake.wait(_ROUND_SECONDS)
                if not self._is_closing:
                    self._wake.clear()
            deadline = time.monotonic() + (_STOP_SECONDS if self._stop_searches else 0.0)
            pause = threading.Event()
            while time.monotonic() < deadline and not self._try(rounds.stop_all):
                pause.wait(_LOOK_SECONDS)

    def _try(self, part: Callable[[], _Done]) -> _Done | None:
        """Make a round; what goes wrong is said once, and tried again in the next."""
        try:
            done = part()
        except (VlgaError, OSError) as error:
            if str(error) != self._trouble:
                logger.warning("%s; trying again", error)
            self._trouble = str(error)
            return None
        self._trouble = ""
        return done
