"""`vlga serve` as a process: ready soon, small, ended at once; each mistake one line."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.command import Result, vlga
from tests.support.readmes import blocks

TOKEN = "vlga_test-0123456789-0123456789"


ROOT = {"PYTHONPATH": str(Path(__file__).parents[2])}


def _start(folder: Path, **environment: str) -> subprocess.Popen[str]:
    rest = {key: value for key, value in os.environ.items() if not key.startswith("VLGA_")}
    return subprocess.Popen(
        [sys.executable, "-m", "vlga", "serve", "--port", "0", "--searches", "0"],
        cwd=folder,
        env=rest | ROOT | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A service on a new database, and the address that it printed."""
    process = _start(tmp_path_factory.mktemp("served"))
    assert process.stdout is not None
    yield process, process.stdout.readline().strip()
    process.kill()
    process.communicate()


def _ask(url: str, token: str) -> bytes:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        body: bytes = answer.read()
    return body


def test_a_service_is_small_keeps_its_secret_and_ends_at_once(served):
    """It prints an address with a token once; streams that are open do not keep it."""
    process, url = served
    address, _, token = url.partition("?token=")
    port = int(address.rsplit(":", 1)[1].strip("/"))
    assert json.loads(_ask(f"{address}api/v1/", token))["token"]["scope"] == "write"

    streams = [socket.create_connection(("127.0.0.1", port), 30) for _ in range(50)]
    for stream in streams:
        line = (
            f"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        )
        stream.sendall(f"{line}\r\n".encode())
        assert b"200 OK" in stream.recv(1000)
    status = Path(f"/proc/{process.pid}/status").read_text()
    (rss,) = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")]
    assert rss < 200_000
    assert token not in Path(f"/proc/{process.pid}/cmdline").read_text()
    process.send_signal(signal.SIGTERM)
    code = process.wait(10)
    out, err = process.communicate()
    for stream in streams:
        stream.close()

    assert (code, out) == (0, "")
    assert err == "the service has ended; searches go on\n"


LOADED = """
import sys
from vlga.service.app import create_app
from vlga.service.server import serve
from vlga.service.supervisor import Supervisor
from vlga.cli.serve import serve
from tests.support.service import asking, make_service
from db.store import SqlStore
store = SqlStore(sys.argv[1])
service = make_service(store.engine)
with asking(service, service.access.create("anna")) as client:
    for path in ("", "searches", "presets", "datasets", "settings-schema", "openapi.json"):
        assert client.get(f"/api/v1/{path}").status_code == 200, path
    assert client.post("/api/v1/searches", json={}).status_code == 201
    assert client.get("/api/v1/compare?search=digits-1").status_code == 200
    client.get("/")
print(*{name.partition(".")[0] for name in sys.modules})
"""


def test_a_service_loads_little(tmp_path):
    """Neither torch nor Ray, nor what draws or tabulates."""
    ran = subprocess.run(
        [sys.executable, "-c", LOADED, f"sqlite:///{tmp_path}/vlga.db"],
        capture_output=True,
        text=True,
        env=os.environ | ROOT,
    )
    assert ran.returncode == 0, ran.stderr
    heavy = {"torch", "torchvision", "ray", "pandas", "plotly", "matplotlib", "sklearn"}
    assert set(ran.stdout.split()) & heavy == set()


def _refused(folder: Path, *arguments: str) -> Result:
    return vlga("serve", "--db", f"sqlite:///{folder}/vlga.db", *arguments)


def test_a_mistake_is_one_line(tmp_path, monkeypatch):
    """A port that is taken, an address of another machine, secrets that others can read."""
    monkeypatch.delenv("VLGA_TOKEN", raising=False)
    readable = tmp_path / "token"
    readable.write_text(TOKEN)
    readable.chmod(0o644)
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        said = {
            "--port must be free, but": _refused(tmp_path, "--port", port),
            "--host must be an address of this machine": _refused(tmp_path, "--host", "192.0.2.1"),
            "--certfile and --keyfile must be": _refused(tmp_path, "--certfile", str(readable)),
            "--keyfile needs a certificate": _refused(tmp_path, "--keyfile", str(readable)),
            "does not exist": _refused(tmp_path, "--data", str(tmp_path / "absent")),
        }
    monkeypatch.setenv("VLGA_TOKEN_FILE", str(readable))
    said["chmod 600"] = _refused(tmp_path)
    monkeypatch.delenv("VLGA_TOKEN_FILE")
    monkeypatch.setenv("VLGA_TOKEN", "two words")
    said["VLGA_TOKEN must be one word"] = _refused(tmp_path)
    for words, ran in said.items():
        assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1), ran
        assert words in ran.err
        assert TOKEN not in ran.err
    assert not (tmp_path / "vlga.db").exists()


def test_a_token_of_the_environment_is_not_printed(tmp_path):
    """It lets in, and the address stays without it."""
    process = _start(tmp_path, VLGA_TOKEN=TOKEN)
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    named = json.loads(_ask(f"{address}api/v1/", TOKEN))["token"]["name"]
    process.terminate()
    out, err = process.communicate(timeout=30)

    assert named == "VLGA_TOKEN"
    assert address.endswith("/")
    assert TOKEN not in out + err


def test_what_the_readme_types_works(tmp_path):
    """Line by line, as it stands, but for the port and how long somebody watches."""
    process = _start(tmp_path)
    assert process.stdout is not None
    port = process.stdout.readline().partition("?")[0].rsplit(":", 1)[1].strip("/\n")
    (program,) = [block for block in blocks("sh") if "/api/v1" in block]
    program = program.replace("8642", port).replace("-m 60", "-m 1")
    here = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    ran = subprocess.run(
        ["bash", "-c", program.replace("\n", "\necho\n")],
        cwd=tmp_path,
        env=os.environ | ROOT | here,
        capture_output=True,
        text=True,
        timeout=60,
    )
    process.terminate()
    process.communicate(timeout=30)
    answers = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]

    assert len(program.splitlines()) == 10
    states = [one.get("state", one.get("type", one.get("wanted"))) for one in answers]
    assert states[:3] == ["queued", "queued", "/problems/not-begun"], ran
    # Its process may end before the first of these two, between them, or after both; and one that
    # is paused is started again as soon as there is room.
    assert states[3:5] in (
        ["paused", "queued"],
        ["paused", "starting"],
        ["pausing", "queued"],
        ["pausing", "starting"],
        ["pausing", "pausing"],
    ), ran
    assert states[5] == "delete", ran
    assert "event: search" in ran.stdout
    assert answers[6]["openapi"].startswith("3.")
