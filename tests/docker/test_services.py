"""The services of docker-compose.yml without Docker: their own commands, on this machine."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support import compose, postgres

pytestmark = [pytest.mark.ray, pytest.mark.postgres]

PASSWORD = "p@ss/w:rd%25 'x'"
TINY = [
    word
    for setting in ("strategy=variable_length", "population.size=2", "population.generations=1",
                    "budget.phases=1",
                    "training.epochs=1", "final.epochs=1", "data.train_limit=100")
    for word in ("--set", setting)
]  # fmt: skip


@dataclass(slots=True)
class Machine:
    """This machine in the place of Docker: free ports for theirs, folders for its containers.

    Attributes:
        services: those of the file, filled in.
        places: what stands here for the names and the ports of the file.
        folder: holds a folder for each process, short enough for the paths of Ray's sockets.
        started: the processes, each the leader of its own group.
    """

    services: dict[str, dict[str, Any]]
    places: dict[str, str]
    folder: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, words: list[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
        """Start a command in an environment that holds nothing else of vlga, Ray and Postgres."""
        outside = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("VLGA_", "RAY_", "PG"))
        }
        # As in the images: Ray without its extras.
        (self.folder / "sitecustomize.py").write_text(
            "import sys; sys.modules['aiohttp_cors'] = None"
        )
        path = [Path(sys.executable).parent, postgres.server().bin_path, outside["PATH"]]
        home = self.folder / str(len(self.started))
        home.mkdir()
        here = re.compile("|".join(re.escape(word) for word in self.places))
        words, values = (
            [here.sub(lambda found: self.places[found[0]], word) for word in texts]
            for texts in (words, environment.values())
        )
        if words[:2] == ["ray", "start"]:  # what Docker gives by containers and by `shm_size`
            words += [f"--temp-dir={home}", f"--object-store-memory={100 * 2**20}"]
        process = subprocess.Popen(
            words,
            cwd=home,
            env=outside
            | {"PATH": ":".join(map(str, path)), "HOME": str(home)}
            | {"PYTHONPATH": str(self.folder)}
            | dict(zip(environment, values, strict=True)),
            start_new_session=True,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.started.append(process)
        return process

    def run(self, name: str, *words: str, **changed: str | None) -> subprocess.Popen[str]:
        """Start a service, or what ``docker compose run NAME WORDS`` does.

        Its environment may be changed; None takes a variable away.
        """
        service = self.services[name]
        environment = {**service["environment"], **changed}
        environment = {key: value for key, value in environment.items() if value is not None}
        return self.start(compose.command(service, *words), environment)

    def is_healthy(self, name: str) -> bool:
        """Run a service's health check once."""
        service = self.services[name]
        kind, *words = service["healthcheck"]["test"]
        assert kind == "CMD"
        checking = self.start(words, service["environment"])
        checking.communicate(timeout=60)
        return checking.returncode == 0

    def wait_healthy(self, name: str, process: subprocess.Popen[str]) -> None:
        """Check a service until it is healthy, as Docker does before what depends on it."""
        deadline = time.monotonic() + 90
        while not self.is_healthy(name):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline, name
            time.sleep(1)


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """A Postgres server that knows the file's user, and nothing else started."""
    secret = {
        "POSTGRES_PASSWORD": PASSWORD,
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "VLGA_TOKEN": secrets.token_hex(32),
    }
    database = postgres.with_password("vlga", PASSWORD.replace("'", "''"))
    server = database.rpartition("@")[2]
    ports = free_ports(3)
    places = {"ray-head": "127.0.0.1", "@postgres/vlga": f"@{server}"}
    places |= dict(zip(("6379", "10001", "6380"), ports, strict=True))
    folder = Path(tempfile.mkdtemp(prefix="vlga-up-", dir="/tmp"))
    machine = Machine(compose.services(secret), places, folder)
    yield machine
    for process in machine.started:
        kill(process)
    shutil.rmtree(folder, ignore_errors=True)


def free_ports(n: int) -> list[str]:
    """Give ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(n)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [str(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a process, which may be gone, and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a process; give its exit code and what it said."""
    said, _ = process.communicate(timeout=120)
    return process.returncode, said


@pytest.mark.parametrize("is_up", [True, False])
def test_postgres_is_healthy_once_it_answers(machine: Machine, is_up: bool):
    """By its own check, which is pointed to the socket of the server that is here, or to none."""
    _, *words = machine.services["postgres"]["healthcheck"]["test"]
    host = str(postgres.server().pgdata) if is_up else "/nowhere"
    code, said = ended(machine.start([word.replace("127.0.0.1", host) for word in words], {}))

    assert (code == 0) is is_up, said


def test_the_services_make_a_cluster_that_runs_a_search(machine: Machine):
    """Head and worker from their own commands, healthy by their own checks; a search from its own.

    Meanwhile nobody joins or drives the cluster with another token, or with none.
    """
    head = machine.run("ray-head")
    machine.wait_healthy("ray-head", head)
    worker = machine.run("ray-worker")
    wrong = [
        machine.run("ray-worker", RAY_AUTH_TOKEN="wrong"),
        machine.run("ray-worker", RAY_AUTH_TOKEN=None, RAY_AUTH_MODE=None),
        machine.run("vlga", "search", "--name", "wrong", *TINY, RAY_AUTH_TOKEN="wrong"),
    ]
    machine.wait_healthy("ray-worker", worker)
    code, said = ended(machine.run("vlga", "search", "--data", "digits", *TINY))
    assert code == 0, said
    assert "1 at a time; postgresql+psycopg://vlga@" in said
    assert "\nwinner #" in said

    for process in wrong:
        code, said = ended(process)
        assert code != 0, said
        assert "Ray runtime started" not in said
    assert said.splitlines()[-1].startswith("vlga: ")
    code, listed = ended(machine.run("vlga", "list", "--format", "json"))
    assert code == 0, listed
    assert [(one["name"], one["status"]) for one in json.loads(listed)] == [
        ("digits-1", "completed")
    ]
    assert (head.poll(), worker.poll()) == (None, None)
