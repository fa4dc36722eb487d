"""Who is let in: hosts, other sites' pages, tokens; route by route, from the description itself."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from db.connection.engine import writing
from db.schema.service import tokens
from db.store import SqlStore
from tests.support.records import candidate, evaluation, record
from tests.support.service import HOST, asking, make_service
from vlga.service.auth import cookie_name
from vlga.service.context import Options, Service
from vlga.service.guards import is_own_host, is_own_page

API = "/api/v1"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of a database with one search of one network."""
    folder = tmp_path_factory.mktemp("guards")
    with closing(SqlStore(f"sqlite:///{folder}/vlga.db")) as store:
        store.create_search(record("first"))
        store.add_candidates("first", [candidate(0)])
        store.add_evaluations("first", [evaluation(0)])
        yield make_service(store.engine)


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[TestClient]:
    """Somebody without a token."""
    with asking(service) as client:
        yield client


@pytest.fixture(scope="module")
def secrets(service: Service) -> dict[str, str]:
    """A token of each kind."""
    access = service.access
    made = {
        "read": access.create("read", "read"),
        "write": access.create("write"),
        "expired": access.create("expired", days=1),
        "revoked": access.create("revoked"),
        "wrong": "vlga_" + "x" * 43,
        "empty": "",
    }
    access.revoke("revoked")
    with writing(service.engine) as connection:
        past = {"expires_at": datetime.now(UTC) - timedelta(days=1)}
        connection.execute(update(tokens).where(tokens.c.name == "expired").values(**past))
    return made


def _operations(client: TestClient) -> list[tuple[str, str]]:
    """Give every method and address that the application has, of those described and others."""
    found = []
    for path, methods in client.app.openapi()["paths"].items():
        filled = path.format(name="absent", candidate_id=0, kind="weights")
        found += [(method.upper(), filled) for method in methods]
    return [one for one in found if one[1] != f"{API}/events"]


@pytest.mark.parametrize("kind", [None, "wrong", "expired", "revoked", "empty", "read", "write"])
def test_every_route_needs_a_token_that_is_good_for_it(
    client: TestClient, secrets: dict[str, str], kind: str | None
):
    """None and bad ones get 401 everywhere; one to read gets 403 where something would change."""
    operations = _operations(client)
    assert len(operations) > 25
    headers = {} if kind is None else {"Authorization": f"Bearer {secrets[kind]}"}
    for method, path in operations:
        answer = client.request(method, path, headers={**headers, "Sec-Fetch-Site": "same-origin"})
        if kind in ("read", "write"):
            is_enough = kind == "write" or method == "GET"
            assert (answer.status_code == 403) != is_enough, (method, path)
            assert answer.status_code != 401, (method, path)
        else:
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.headers["content-type"] == "application/problem+json"


def test_probes_need_no_token_and_tell_nothing(client: TestClient):
    """Whatever the host."""
    for path in ("/healthz", "/readyz"):
        answer = client.get(path, headers={"Host": "10.0.0.7:8642"})
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("127.0.0.1", True),
        ("127.0.0.1:8642", True),
        ("127.9.9.9:1", True),
        ("[::1]:8642", True),
        ("LOCALHOST:8642", True),
        ("localhost.", True),
        ("vlga.example:8642", True),
        ("VLGA.example", True),
        ("", False),
        ("evil.example", False),
        ("10.0.0.1", False),
        ("10.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("evil-localhost", False),
        ("xvlga.example", False),
        ("a.vlga.example", False),
        ("127.0.0.1@evil.example", False),
        ("127.0.0.1:8642:1", False),
        ("127.0.0.1:x", False),
        ("127.0.0.1 evil", False),
        ("127.1", False),
        ("2130706433", False),
        ("0x7f000001", False),
        ("[::1", False),
        ("[::ffff:10.0.0.1]", False),
        ("[evil]", False),
        ("\u0131ocalhost", False),
        ("http://localhost", False),
    ],
)
def test_a_host_is_parsed_and_not_matched(client: TestClient, host: str, is_own: bool):
    """Names that only look like an address of this machine are foreign."""
    assert is_own_host(host, Options(allowed_hosts=("vlga.example",))) is is_own
    if host.isascii() and "vlga.example" not in host.lower():
        answer = client.get(API + "/", headers={"Host": host})
        assert answer.status_code == (401 if is_own else 421)
        assert is_own or "--allow-host" in answer.json()["detail"]


def test_where_it_listens_everywhere_any_address_is_its_own():
    """But no name, which somebody else could lead here."""
    everywhere, one = Options(host="0.0.0.0"), Options(host="10.0.0.1")

    assert is_own_host("10.0.0.1:8642", everywhere)
    assert not is_own_host("evil.example", everywhere)
    assert is_own_host("10.0.0.1", one)
    assert not is_own_host("10.0.0.2", one)
    assert is_own_host("box", Options(host="box"))


@pytest.mark.parametrize(
    ("site", "origin", "has_bearer", "is_own"),
    [
        ("same-origin", None, False, True),
        ("none", None, False, True),
        ("same-site", None, True, False),
        ("cross-site", HOST, True, False),
        ("", HOST, True, False),
        (None, HOST, False, True),
        (None, "http://127.0.0.1:8642", False, True),
        (None, "http://127.0.0.1", False, False),
        (None, "http://evil.example", True, False),
        (None, "null", True, False),
        (None, "", True, False),
        (None, None, True, True),
        (None, None, False, False),
    ],
)
def test_what_changes_something_comes_from_its_own_page(
    *, service, secrets, site, origin, has_bearer, is_own
):
    """By what browsers say of a request; without that, only with a token that none adds itself."""
    host = HOST.removeprefix("http://")
    assert is_own_page(host, site, origin, has_bearer=has_bearer) is is_own

    headers = {"Sec-Fetch-Site": site, "Origin": origin}
    given = {name: value for name, value in headers.items() if value is not None}
    with asking(service, secrets["write"] if has_bearer else None) as client:
        if not has_bearer:
            session = service.access.sign_in(secrets["write"])
            client.cookies.set(cookie_name(service.options), session)
        answer = client.post(f"{API}/searches/absent/pause", headers=given)
        assert answer.status_code == (404 if is_own else 403)


def test_an_address_with_a_token_signs_in_and_leads_to_the_clean_one(
    service: Service, secrets: dict[str, str]
):
    """By a cookie that scripts cannot read, with the port in its name."""
    with asking(service) as client:
        answer = client.get(f"/?x=1&token={secrets['write']}")
        cookie = answer.headers["set-cookie"]
        assert (answer.status_code, answer.headers["location"]) == (303, "/?x=1")
        assert cookie.startswith("vlga_8642=")
        assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
        assert secrets["write"] not in cookie
        assert client.get(API + "/").json()["token"]["name"] == "write"
        service.access.revoke("write")
        assert client.get(API + "/").status_code == 401
        service.access.adopt("write", secrets["write"])


@pytest.mark.parametrize("kind", ["wrong", "expired", "revoked", "empty"])
def test_a_bad_token_in_an_address_leads_to_signing_in(
    client: TestClient, secrets: dict[str, str], kind: str
):
    """It is not handed on, nor is another host."""
    for path in ("/s/first", "//evil.example/"):
        answer = client.get(f"{path}?token={secrets[kind]}")
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login?next=%2F")
        assert "token" not in answer.headers["location"]
        assert "set-cookie" not in answer.headers


def test_behind_tls_the_cookie_is_bound_to_the_host(service: Service, secrets: dict[str, str]):
    """``__Host-`` and Secure."""
    secure = make_service(service.engine, is_secure=True)
    with asking(secure) as client:
        cookie = client.get(f"/?token={secrets['read']}").headers["set-cookie"]
    assert cookie.startswith("__Host-vlga_8642=")
    assert "Secure" in cookie


def test_no_secret_is_logged(
    service: Service, secrets: dict[str, str], caplog: pytest.LogCaptureFixture
):
    """Neither one in an address nor one in a header; each change is."""
    caplog.set_level(logging.DEBUG)
    with asking(service, secrets["write"]) as client:
        client.get(f"/?token={secrets['write']}")
        client.post(f"{API}/searches/absent/pause?token={secrets['write']}")
    text = "\n".join(
        one.getMessage() for one in caplog.records if one.name.startswith(("vlga", "db", "uvicorn"))
    )

    assert "POST /api/v1/searches/absent/pause by write: 404" in text
    assert secrets["write"][5:] not in text


def test_every_answer_forbids_what_the_service_does_not_need(client: TestClient):
    """Scripts and frames of others, guessing of types; nothing is kept by others."""
    for path in ("/healthz", API + "/", "/nothing", "/login"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers
