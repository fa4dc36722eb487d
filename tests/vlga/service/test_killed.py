"""What a service has answered for is there after it is killed."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support.forked import Forked
from tests.support.thorough import LONG

N_KILLS = 100 if LONG else 5


def _ask(address: str, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Ask a service at the address that it printed; give the status and the answer."""
    parts = urlsplit(address)
    token = parts.query.removeprefix("token=")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    text = None if body is None else json.dumps(body)
    with closing(http.client.HTTPConnection(parts.netloc, timeout=60)) as connection:
        connection.request(method, f"/api/v1/searches{path}", text, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def test_what_was_answered_survives_a_kill_right_after_the_answer(processes: Any, tmp_path: Path):
    """Each service is killed as soon as it has said 201; the next one has all submissions.

    It also has the wish that was answered with 202 just before.
    """
    command = ("serve", "--db", f"sqlite:///{tmp_path}/vlga.db", "--port", "0", "--searches", "0")
    wanted: dict[str, str] = {}
    for number in range(N_KILLS + 1):
        with Forked(processes, command, tmp_path) as service:
            address = service.stdout.readline().strip()
            _, found = _ask(address, "GET", "?limit=1000")
            assert {one["name"]: one["wanted"] for one in found["items"]} == wanted
            if number == N_KILLS:
                break
            for name in [*wanted][-1:]:
                assert _ask(address, "POST", f"/{name}/pause")[0] == 202
                wanted[name] = "pause"
            name = f"kept-{number}"
            status, _ = _ask(address, "PUT", f"/{name}", {"settings": {"seed": number}})
            service.kill()
            assert status == 201
            wanted[name] = "run"
