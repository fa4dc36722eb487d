"""The REST interface: what each operation gives and refuses, on SQLite and on Postgres."""

from __future__ import annotations

import hashlib
import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, update
from starlette.testclient import TestClient

from db.connection.engine import writing
from db.read.folder import files_folder
from db.read.searches import show_search
from db.schema.tables import artifacts
from db.store import SqlStore
from tests.support.service import asking, make_service
from vlga.ports.lease import Stop, this_process
from vlga.service.context import Service

API = "/api/v1"
DIGITS = f"{API}/searches/digits-1"


def _get(client: TestClient, path: str, status: int = 200):
    answer = client.get(path if path.startswith("/api") else DIGITS + path)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_search_can_be_looked_at_in_every_way(client: TestClient, engine: Engine):
    """Lists, single things, charts and files, each in its form."""
    assert _get(client, "").items() >= show_search(engine, "digits-1").items()
    assert _get(client, "")["state"] == "completed"
    assert [row["name"] for row in _get(client, f"{API}/searches")["items"]] == [
        "digits-1",
        "empty",
    ]
    assert [row["id"] for row in _get(client, "/candidates")["items"]] == [0, 1, 2, 4]
    network = _get(client, "/candidates/4")
    assert network["layers"]
    assert network["facts"]
    assert "path" not in json.dumps(network)
    assert [row["id"] for row in _get(client, "/candidates/4/lineage?depth=1")["items"]] == [4, 2]
    assert _get(client, "/winner")["id"] == 0
    assert len(_get(client, "/evaluations?after=2")["items"]) == 5
    assert _get(client, "/series")["x"] == [1, 2, 3, 4, 5, 6]
    failed = _get(client, "/candidates?outcome=failed&order=id")["items"]
    assert [row["id"] for row in failed] == [3]
    assert _get(client, "/candidates?outcome=lost", 422)["detail"].startswith("outcome must be one")
    assert _get(client, "/genes") == {"networks": 3, "items": []}
    assert _get(client, "/failures")["out_of_memory"]["n"] == 1
    assert _get(client, "/running") == {"state": "completed", "progress": None}
    assert _get(client, "/log") == {"lines": []}
    compared = _get(client, f"{API}/compare?search=digits-1&search=empty")
    assert compared["differing_settings"] == {"seed": [3, 0]}
    assert _get(client, f"{API}/")["token"] == {"name": "anna", "scope": "write"}
    assert "default" in [row["name"] for row in _get(client, f"{API}/presets")["items"]]
    assert "digits" in [row["name"] for row in _get(client, f"{API}/datasets")["items"]]
    assert "properties" in _get(client, f"{API}/settings-schema")
    assert _get(client, f"{API}/openapi.json")["openapi"].startswith("3.1")


def test_what_the_winner_gets_wrong_is_counted(client: TestClient, engine: Engine, url: str):
    """Once it is tested; without its pictures, which its page has."""
    assert "longer training" in _get(client, "/mistakes", 404)["detail"]
    with closing(SqlStore(url)) as store:
        store.update_search("digits-1", best_candidate_id=4)

    told = _get(client, "/mistakes")
    assert told["confusion"] == [[99, 1, 0], [20, 80, 0], [0, 0, 100]]
    assert told["class_accuracies"] == [0.99, 0.8, 1.0]
    assert told["worst"][0] == {
        "index": 7, "is_a": "eins", "taken_for": "zero", "confidence": 0.75,
    }  # fmt: skip


def test_lists_lead_on_by_link_and_cursor(client: TestClient):
    """Following `next` gives every row once; the header has the same address."""
    answer = client.get(f"{DIGITS}/candidates?order=id&limit=4")
    (link,) = [answer.links["next"]["url"]]
    rest = client.get(link).json()
    feed = client.get(f"{DIGITS}/evaluations?limit=5")

    assert [row["id"] for row in answer.json()["items"]] == [0, 1, 2, 3]
    assert ([row["id"] for row in rest["items"]], rest["next"]) == ([4, 5], None)
    assert len(client.get(feed.links["next"]["url"]).json()["items"]) == 2


def test_an_answer_that_is_known_is_not_sent_again(client: TestClient):
    """Its tag is weak, and changes with what is shown."""
    first = client.get(DIGITS)
    tag = first.headers["etag"]

    assert tag.startswith('W/"')
    again = client.get(DIGITS, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    client.patch(DIGITS, json={"priority": 1})
    assert client.get(DIGITS, headers={"If-None-Match": tag}).status_code == 200


def test_what_is_read_comes_compressed_and_files_do_not(client: TestClient, engine: Engine):
    """Where the client takes it; of a file a range may be asked for, so it stays as it is."""
    packed = client.get(DIGITS)
    plain = client.get(DIGITS, headers={"Accept-Encoding": "identity"})
    (file,) = _get(client, "/files")["items"]
    (files_folder(engine) / "digits-1" / "4.pt").write_bytes(bytes(5000))

    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"])
    assert packed.json() == plain.json()
    assert "Content-Encoding" not in client.get(file["href"]).headers


def test_files_are_downloaded_whole_and_in_ranges(client: TestClient, engine: Engine):
    """With the ledger's hash as tag; a file that is gone, or lies elsewhere, is gone."""
    (file,) = _get(client, "/files")["items"]
    whole = client.get(file["href"])
    part = client.get(file["href"], headers={"Range": "bytes=1-3"})
    known = client.get(file["href"], headers={"If-None-Match": whole.headers["etag"]})

    assert whole.content == b"weights"
    assert whole.headers["etag"] == f'"{hashlib.sha256(b"weights").hexdigest()}"'
    assert whole.headers["content-disposition"] == 'attachment; filename="digits-1-4.pt"'
    assert (part.status_code, part.content) == (206, b"eig")
    assert (known.status_code, known.content) == (304, b"")
    assert client.get(f"{DIGITS}/files/0/weights").status_code == 404
    for path in ("digits-1/absent.pt", "../../../../../../etc/passwd", "/etc/passwd", "digits-1"):
        with writing(engine) as connection:
            connection.execute(update(artifacts).values(path=path))
        gone = client.get(file["href"])
        assert (gone.status_code, "root:" in gone.text) == (410, False), path


def test_outcomes_are_exported_whole(client: TestClient):
    """As CSV with a header, and as lines of JSON."""
    lines = client.get(f"{DIGITS}/export?format=ndjson").text.splitlines()
    table = client.get(f"{DIGITS}/export?format=csv").text.splitlines()
    empty = client.get(f"{API}/searches/empty/export?format=csv")

    assert [json.loads(line)["candidate_id"] for line in lines] == [0, 2, 1, 3, 0, 4, 4]
    assert len(table) == 8
    assert table[0].startswith("id,candidate_id")
    assert empty.status_code == 200


def test_a_search_is_submitted_once_for_each_key(client: TestClient, service: Service):
    """With a made-up name and the address of what was made; another body with a key is refused."""
    settings = {"data": {"train_limit": 100}, "budget.evaluations": 20, "seed": 5}
    body = {"settings": settings, "priority": 2}
    key = {"Idempotency-Key": "one"}
    first = client.post(f"{API}/searches", json=body, headers=key)
    again = client.post(f"{API}/searches", json=body, headers=key)
    other = client.post(f"{API}/searches", json={"settings": {}}, headers=key)
    without = client.post(f"{API}/searches", json=body)

    assert first.status_code == 201, first.text
    made = first.json()
    assert (made["name"], made["state"], made["created_by"]) == ("digits-2", "queued", "anna")
    assert first.headers["location"] == f"{API}/searches/digits-2"
    assert (again.status_code, again.json()["name"]) == (201, "digits-2")
    assert (other.status_code, without.json()["name"]) == (422, "digits-3")
    kept = service.queue.find("digits-2").submission
    assert (kept.settings["data"]["train_limit"], kept.settings["seed"]) == (100, 5)
    assert (kept.settings["budget"]["evaluations"], kept.priority) == (20, 2)


def test_a_name_is_put_once(client: TestClient):
    """The same again changes nothing; other settings are refused."""
    body = {"settings": {"seed": 1, "strategy": "random_search", "budget.evaluations": 3}}
    made = client.put(f"{API}/searches/mine", json=body)
    again = client.put(f"{API}/searches/mine", json=body)
    other = client.put(f"{API}/searches/mine", json={"settings": {"seed": 2}})
    posted = client.post(f"{API}/searches", json={"name": "mine", **body})

    assert [one.status_code for one in (made, again, other, posted)] == [201, 200, 409, 409]
    assert other.json()["type"] == "/problems/search-exists"


def test_what_is_wanted_is_wanted_once(client: TestClient, service: Service):
    """Pausing, stopping and resuming twice is the same as once; what has ended stays so."""
    for verb, state, wanted in (
        ("pause", "paused", "pause"),
        ("stop", "stopped", "stop"),
        ("resume", "queued", "run"),
    ):
        for _ in range(2):
            answer = client.post(f"{API}/searches/empty/{verb}")
            assert answer.status_code == 202, answer.text
            assert (answer.json()["state"], answer.json()["wanted"]) == (state, wanted)
        refused = client.post(f"{DIGITS}/{verb}")
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/search-done")
    actions = [one.what for one in service.queue.actions("empty")]
    assert actions == ["resumed", "stopped", "paused"]


def test_a_completed_search_goes_on_with_a_larger_budget(client: TestClient, service: Service):
    """What may not change any more is refused and leaves nothing behind."""
    more = client.post(f"{DIGITS}/resume", json={"settings": {"budget": {"evaluations": 500}}})
    fixed = client.patch(DIGITS, json={"settings": {"seed": 9}})

    assert (more.status_code, more.json()["changes"]) == (202, ["budget.evaluations=500"])
    assert fixed.status_code == 422
    assert "seed" in fixed.json()["detail"]
    assert list(service.queue.find("digits-1").submission.changes) == ["budget.evaluations=500"]


def test_settings_change_once_it_is_to_end(client: TestClient, service: Service, engine: Engine):
    """It is then asked to end whatever the supervisor has seen of the pause, and goes on after."""
    more = {"json": {"settings": {"budget.evaluations": 500}}}
    with closing(SqlStore(str(engine.url.render_as_string(hide_password=False)))) as store:
        assert store.acquire("empty", this_process(), 60)
        store.update_search("empty", status="running")

    running = client.post(f"{API}/searches/empty/resume", **more)
    paused = client.post(f"{API}/searches/empty/pause")
    resumed = client.post(f"{API}/searches/empty/resume", **more)

    assert (running.status_code, running.json()["type"]) == (409, "/problems/search-held")
    assert (paused.status_code, paused.json()["state"]) == (202, "pausing")
    assert (resumed.status_code, resumed.json()["state"]) == (202, "pausing")
    assert (resumed.json()["wanted"], resumed.json()["changes"]) == (
        "run",
        ["budget.evaluations=500"],
    )
    lease = service.queue.find("empty").seen.lease
    assert lease is not None
    assert lease.stop is Stop.DRAIN


def test_a_search_is_deleted_once_it_does_not_run(client: TestClient, service: Service):
    """Nothing else can be wanted of it then."""
    deleted = client.delete(f"{API}/searches/empty")
    again = client.delete(f"{API}/searches/empty")
    paused = client.post(f"{API}/searches/empty/pause")

    assert [one.status_code for one in (deleted, again, paused)] == [202, 202, 409]
    assert service.queue.find("empty").submission.wanted == "delete"
    assert client.delete(f"{API}/searches/absent").status_code == 404


REFUSED_SETTINGS: list[tuple[dict[str, object], str]] = [
    ({"workers.address": "ray://evil:10001"}, "[workers] address must be left to the service"),
    ({"workers": {"inline": True}}, "[workers] inline must be left to the service"),
    ({"data.dir": "/etc"}, "[data] dir must be left to the service"),
    ({"data.name": "/etc/passwd"}, "[data] name must be a known data set or lie below"),
    ({"data.name": "../../etc"}, "[data] name must be a known data set or lie below"),
    ({"data.name": "a\0b"}, "[data] name must be text without control characters"),
    ({"data.nam": "digits"}, "[data] 'nam' is not a setting; did you mean 'name'?"),
    ({"strategy": "trials"}, "strategy must be"),
    ({"seed": 2**64}, "seed must fit in 64 bits"),
    ({"seed": "x"}, "seed must be"),
    ({"a..b": 1}, "'a..b' is not a setting"),
    ({"": 1}, "'' is not a setting"),
    ({"data": 1}, "data must be a table of settings"),
]


def test_settings_that_must_not_be_are_refused(
    client: TestClient, service: Service, subtests: pytest.Subtests
):
    """In one line that names the setting; nothing is entered."""
    for settings, said in REFUSED_SETTINGS:
        with subtests.test(settings=settings):
            answer = client.post(f"{API}/searches", json={"name": "bad", "settings": settings})
            found = answer.json()
            assert answer.status_code == 422, answer.text
            assert said in found["detail"]
            assert answer.headers["content-type"] == "application/problem+json"
            assert found["status"] == 422
            assert service.queue.unsettled() == []


REFUSED_BODIES = [
    b'{"settings": {"seed": NaN}}',
    b'{"settings": {"seed": 1e999}}',
    b'{"settings": {"data.name": "\\ud800"}}',
    b'{"name": "a\\u0000b"}',
    b'{"name": "a/b"}',
    b'{"name": ""}',
    b'{"settings": {"seed": ' + b"9" * 5000 + b"}}",
    b"[" * 100_000,
    b"{",
    b"\xff",
    b"[]",
    b'{"settings": 3}',
    b'{"priority": 1e3000}',
    b'{"unknown": 1}',
    b'{"settings": ' + b'{"a":' * 500 + b"1" + b"}" * 500 + b"}",
]


def test_a_body_that_is_none_is_refused(
    client: TestClient, service: Service, subtests: pytest.Subtests
):
    """With 422, whatever is wrong with it; nothing is entered."""
    headers = {"Content-Type": "application/json"}
    for body in REFUSED_BODIES:
        with subtests.test(body=body[:40]):
            answer = client.post(f"{API}/searches", content=body, headers=headers)
            assert answer.status_code == 422, answer.text
            assert answer.json()["type"].startswith("/problems/")
            assert service.queue.unsettled() == []


def test_what_is_too_large_or_no_json_is_refused(client: TestClient):
    """413 and 415."""
    large = b'{"name": "' + b"x" * 2**20 + b'"}'
    headers = {"Content-Type": "application/json"}

    assert client.post(f"{API}/searches", content=large, headers=headers).status_code == 413
    other = client.post(
        f"{API}/searches", content=b"name=x", headers={"Content-Type": "text/plain"}
    )
    assert (other.status_code, other.json()["type"]) == (415, "/problems/media-type")


REFUSED_QUESTIONS = [
    ("/searches/digit-1", 404),
    ("/searches/digits-1/candidates/17", 404),
    (f"/searches/digits-1/candidates/{2**62}", 404),
    (f"/searches/digits-1/candidates/{2**70}", 422),
    ("/searches/digits-1/candidates/-1", 422),
    ("/searches/digits-1/candidates?limit=-1", 422),
    ("/searches/digits-1/candidates?limit=1001", 422),
    ("/searches/digits-1/candidates?cursor=x", 422),
    ("/searches/digits-1/candidates?order=fitness", 422),
    ("/searches/digits-1/evaluations?after=9223372036854775808", 422),
    ("/searches/a%00b", 422),
    ("/searches/..%2f..%2fetc", 404),
    ("/searches?q=%00", 422),
    ("/searches?state=runing", 422),
    ("/compare", 422),
    ("/compare?" + "&".join(["search=empty"] * 21), 422),
    ("/nothing", 404),
]


def test_a_question_that_has_no_answer_is_refused(client: TestClient, subtests: pytest.Subtests):
    """With a problem in one line."""
    for path, status in REFUSED_QUESTIONS:
        with subtests.test(path=path):
            answer = client.get(API + path)
            assert answer.status_code == status, answer.text
            found = answer.json()
            assert found.keys() >= {"type", "title", "status", "detail"}
            assert "\n" not in found["detail"]
    assert "did you mean 'digits-1'" in client.get(f"{API}/searches/digit-1").json()["detail"]


def test_a_queue_that_is_full_is_said(service: Service):
    """With when to try again."""
    full = replace(service, options=replace(service.options, n_waiting=1))
    with asking(full, service.access.create("anna")) as client:
        codes = [client.post(f"{API}/searches", json={}) for _ in range(2)]
    assert [one.status_code for one in codes] == [201, 429]
    assert codes[1].headers["retry-after"] == "5"


def test_a_dry_run_tells_what_would_be_searched(tmp_path: Path):
    """Sizes for this machine, and what it costs at most; nothing is entered."""
    settings = {"data.train_limit": 100, "training.epochs": 1, "budget.evaluations": 3}
    with closing(SqlStore(f"sqlite:///{tmp_path}/vlga.db")) as store:
        service = make_service(store.engine)
        with asking(service, service.access.create("anna")) as client:
            answer = client.post(f"{API}/searches?dry_run=true", json={"settings": settings})
        assert service.queue.unsettled() == []
    found = answer.json()

    assert answer.status_code == 200, answer.text
    assert found["images"]["train"] == 80
    assert (found["settings"]["auto"], found["cost"]["seconds"]) == ([], 540)
    assert found["rungs"]
    assert found["said"][-1] == "at most 9:00 in all, 3 trainings, 3 epochs of search"
