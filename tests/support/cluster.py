"""A Ray cluster of separate processes on this machine, guarded by a token, for tests to break."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.waiting import until

PROJECT = Path(__file__).parents[2]

#: In a worker's environment: the project's folder, which it shares a disk with, looks empty.
_BLIND = f"""
import importlib.machinery, sys

class Nothing:
    def find_spec(self, name, target=None):
        return None

def hook(path):
    if path.rstrip("/") == {str(PROJECT)!r}:
        return Nothing()
    raise ImportError

sys.path_hooks.insert(0, hook)
sys.path_importer_cache.clear()
"""


class Cluster:
    """A head without CPUs, and machines that may be added and killed.

    Attributes:
        address: of the head.
        client_address: of the head's server for Ray clients.
        environment: what a process needs to be let in.
        pages: of each machine, where Prometheus finds what is measured there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._ports = port, client_port = _free_port(), _free_port()
        self.address = f"127.0.0.1:{port}"
        self.client_address = f"ray://127.0.0.1:{client_port}"
        self.environment: Mapping[str, str] = {
            **os.environ,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "GRPC_ENABLE_FORK_SUPPORT": "0",  # as in docker-compose.yml
            "RAY_metrics_report_interval_ms": "1000",  # instead of ten seconds
        }
        self.pages: list[str] = []
        self.start_head()

    def start_head(self) -> None:
        """Start the head, again where it was if it was killed; machines have to join anew."""
        port, client_port = self._ports
        self._start(
            sys.executable, "--head", f"--port={port}", f"--ray-client-server-port={client_port}",
            f"--temp-dir={self._folder}", "--include-dashboard=false", "--num-cpus=0",
        )  # fmt: skip

    def add_machine(self, python: str = sys.executable) -> int:
        """Let a machine with one CPU join; give its number."""
        self._start(python, f"--address={self.address}", "--num-cpus=1")
        return len(self._processes) - 1

    def kill(self, number: int) -> None:
        """Let a machine vanish, with everything that runs on it."""
        os.killpg(self._processes[number].pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill what is left; the head may be started again."""
        for number, process in enumerate(self._processes):
            if process.poll() is None:
                self.kill(number)
            process.wait()

    def _start(self, python: str, *arguments: str) -> None:
        """Start Ray in a process group of its own and wait until it says that it runs."""
        log = self._folder / f"node-{len(self._processes)}.log"
        metrics_port = _free_port()
        self.pages.append(f"http://127.0.0.1:{metrics_port}/metrics")
        command = [
            python, "-m", "ray.scripts.scripts", "start", "--block", "--disable-usage-stats",
            f"--object-store-memory={100 * 2**20}", f"--metrics-export-port={metrics_port}",
        ]  # fmt: skip
        with log.open("wb") as output:
            self._processes.append(
                subprocess.Popen(
                    [*command, *arguments],
                    env=self.environment,
                    cwd=self._folder,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )
        process = self._processes[-1]
        until(
            lambda: process.poll() is not None or "will now block forever" in log.read_text(),
            said=log.read_text,
        )
        assert process.poll() is None, log.read_text()


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Run a cluster while the block runs."""
    # Ray makes sockets there, whose paths may not be long.
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        made = Cluster(Path(folder))
        try:
            yield made
        finally:
            made.close()


def bare_python(folder: Path) -> str:
    """Make an environment that has all libraries, but not this project; give its interpreter."""
    venv.create(folder, with_pip=False)
    packages = folder / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    # What is listed in a .pth file of a folder that a .pth file names is not added in its turn:
    # an editable installation of the project is not seen.
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    (packages / "sitecustomize.py").write_text(_BLIND)
    return str(folder / "bin" / "python")


def _free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
        return port
