"""The command line in processes forked from one that has loaded what a training needs.

Python, click, SQLAlchemy and torch take a started program some seconds of CPU. A forked one begins
at once, and is as real to signals, terminals and the database.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any, Self

from vlga.cli.main import main

__all__ = ["Forked", "spawner"]


class Forked:
    """``vlga`` in a process group of its own, with the face of `subprocess.Popen`.

    Args:
        processes: the fixture of that name.
        arguments: of the command line.
        home: its current folder.
    """

    def __init__(self, processes: Any, arguments: tuple[str, ...], home: Path) -> None:
        pipes = [processes.Pipe(duplex=False) for _ in range(2)]
        ends = [writer for _, writer in pipes]
        self._process = processes.Process(target=_run, args=(arguments, home, *ends))
        self._process.start()
        for writer in ends:
            writer.close()
        self.stdout, self.stderr = (os.fdopen(os.dup(one.fileno())) for one, _ in pipes)
        for reader, _ in pipes:
            reader.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        if self.returncode is None:
            self._process.kill()

    def wait(self, timeout: float) -> int:
        self._process.join(timeout)
        assert self.returncode is not None, f"it still runs after {timeout} s"
        return self.returncode

    def communicate(self, timeout: float) -> tuple[str, str]:
        """Read all that it prints, on stdout and on stderr, until it ends."""
        said = ["", ""]

        def read(number: int) -> None:
            said[number] = (self.stdout, self.stderr)[number].read()

        threads = [threading.Thread(target=read, args=(number,)) for number in range(2)]
        for one in threads:
            one.start()
        self.wait(timeout)
        for one in threads:
            one.join()
        return said[0], said[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._process.join()
        self.stdout.close()
        self.stderr.close()


class _Child:
    """`vlga run`, with what `vlga.service.child.Child` needs of `subprocess.Popen`."""

    def __init__(self, process: Any) -> None:
        self._process = process
        self.pid = process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)


def spawner(processes: Any) -> Callable[[Sequence[str], Mapping[str, str], IO[bytes]], _Child]:
    """Give what starts searches in place of `vlga.service.child._spawn`: they begin at once.

    Args:
        processes: the fixture of that name.
    """

    def spawn(arguments: Sequence[str], environment: Mapping[str, str], log: IO[bytes]) -> _Child:
        path = str(Path(f"/proc/self/fd/{log.fileno()}").readlink())
        process = processes.Process(target=_run_search, args=(arguments, environment, path))
        process.start()
        return _Child(process)

    return spawn


def _run_search(arguments: Sequence[str], environment: Mapping[str, str], log: str) -> None:
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    with Path(log).open("ab") as output:
        for number in (1, 2):
            os.dup2(output.fileno(), number)
    main(arguments)


def _run(arguments: tuple[str, ...], home: Path, out: Connection, err: Connection) -> None:
    os.setpgid(0, 0)
    os.chdir(home)
    for number, pipe in ((1, out), (2, err)):
        os.dup2(pipe.fileno(), number)
        pipe.close()
    sys.argv[1:] = arguments
    main(arguments)
