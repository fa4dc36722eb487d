"""The machine of a service: the processes that it starts for searches, and how it reaches others.

Each is ``vlga run NAME`` in a session of its own, so that it outlives the service. It gets the
database's URL by the environment: arguments can be seen by everybody on the machine.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from sqlalchemy import Engine

from db.connection.engine import writing
from db.ledger.leases import request_stop
from db.read.folder import files_folder
from db.read.names import find_search_id
from db.service.queue import SqlQueue
from vlga.app.deletion import delete_with_files
from vlga.errors import SearchNotFound
from vlga.ports.lease import Holder, Stop, lives

__all__ = ["Child", "Machine", "log_file"]

logger = logging.getLogger(__name__)

#: Beyond how much a log loses its beginning, and how much of its end is kept.
_LOG_BYTES, _KEPT_BYTES = 10 * 2**20, 5 * 2**20


def log_file(engine: Engine, name: str) -> Path:
    """Give where the output of a search's processes goes: ``vlga-logs`` beside the folder of files.

    Raises:
        StoreError: the database cannot be read.
    """
    return files_folder(engine).parents[1] / "vlga-logs" / f"{name}.log"


class Child:
    """A process that was started here, with a group of its own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def poll(self) -> int | None:
        """Give its exit code, negative for a signal; None while it is alive."""
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        """Signal it, its whole group by SIGKILL; nothing happens if it is gone."""
        if self.poll() is None:  # until then its number is no other's
            if number is signal.SIGKILL:
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)


class Machine:
    """The `Host` of a service on this machine.

    Args:
        engine: of the database.
        db_url: of the same, for the processes.
        options: for each of them.
    """

    def __init__(self, engine: Engine, db_url: str, options: Sequence[str] = ()) -> None:
        self._engine = engine
        self._db_url = db_url
        self._options = options

    def start(self, name: str) -> Child:
        """Start the process that runs a search.

        Raises:
            OSError: its log cannot be written, or there is no room for it.
        """
        environment = {**os.environ, "VLGA_DB": self._db_url}
        environment.pop("VLGA_TOKEN", None)  # what a search runs must not steer the service
        with _open_log(log_file(self._engine, name)) as log:
            return Child(_spawn(["run", name, *self._options], environment, log))

    def lives(self, holder: Holder) -> bool | None:
        """Whether a process is alive; None if that cannot be seen from here."""
        return lives(holder)

    def signal(self, holder: Holder, number: signal.Signals) -> None:
        """Signal a process that is alive here; by SIGKILL its group too, if it leads one.

        One that was begun in a script shares the script's group.
        """
        with suppress(OSError):  # it is gone, or another user's
            descriptor = os.pidfd_open(holder.process_id)
            try:
                if not lives(holder):  # asked once the descriptor stands for what has the number
                    return
                leads = os.getpgid(holder.process_id) == holder.process_id
                if number is signal.SIGKILL and leads:
                    os.killpg(holder.process_id, number)
                else:
                    signal.pidfd_send_signal(descriptor, number)
            finally:
                os.close(descriptor)

    def ask(self, name: str, stop: Stop) -> None:
        """Ask who holds a search to stop, by the lease; nothing happens if it is deleted."""
        with suppress(SearchNotFound), writing(self._engine) as connection:
            request_stop(connection, find_search_id(connection, name), stop)

    def delete(self, name: str) -> None:
        """Delete a search, its files, its log and its submission; whatever of them there is."""
        try:
            for line in delete_with_files(self._engine, name).left:
                logger.warning("%s", line)
        except SearchNotFound:
            SqlQueue(self._engine).remove(name)
        with suppress(OSError):
            log_file(self._engine, name).unlink()


def _spawn(
    arguments: Sequence[str], environment: Mapping[str, str], output: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start the command line in the current folder, in a session of its own."""
    return subprocess.Popen(  # noqa: S603  # this Python, and a name that is one word
        [sys.executable, "-m", "vlga", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=environment,
        start_new_session=True,
    )


def _open_log(path: Path) -> IO[bytes]:
    """Open a log to write at its end, for this user alone; a long one loses its beginning."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    log = os.fdopen(descriptor, "a+b", buffering=0)
    os.fchmod(descriptor, 0o600)
    _cut(log)
    return log


def _cut(log: IO[bytes]) -> None:
    """Keep the last lines of a log that has grown long."""
    if log.seek(0, os.SEEK_END) > _LOG_BYTES:
        log.seek(-_KEPT_BYTES, os.SEEK_END)
        kept = log.read()
        log.truncate(0)
        log.write(kept[kept.find(b"\n") + 1 :])
