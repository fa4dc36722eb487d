"""What pages hold, without a browser; what a browser makes of them is in test_in_browser.py."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from db.store import SqlStore
from tests.support.records import evaluation
from tests.vlga.service.pages.conftest import HOSTILE, app_with, fill
from vlga.ports.ledger import Artifact
from vlga.ports.state import State
from vlga.service.pages.words import ACTIONS, STATES, actions_for

PAGES = (
    "/", "/new", "/new?like=digits-1", "/s/digits-1", "/s/empty", "/s/waiting", "/s/digits-1/5",
    "/s/digits-1/4", "/s/digits-1/11", "/compare", "/compare?search=digits-1&search=empty",
    "/s/digits-1/failures", "/s/empty/failures?reason=error", "/s/digits-1/figures/best/table",
    "/s/digits-1/5/curve/table", "/compare/table?search=digits-1&search=empty",
    "/s/digits-1/mistakes", "/login", "/s/nobody", "/s/digits-1/99", "/?state=queued",
    "/?q=nothing-like-it",
)  # fmt: skip
CHARTS = ("best", "fitness", "depth", "size", "genes")


class _Tags(HTMLParser):
    """Every tag with its attributes, and the texts of headings."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def tags(client: TestClient, path: str) -> list[tuple[str, dict[str, str | None]]]:
    return _Tags(client.get(path).text).tags


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_what_every_page_needs(client: TestClient, path: str):
    """A language, a title, one first heading, a way past the navigation, and each id once."""
    answer = client.get(path)
    found = _Tags(answer.text).tags
    names = [tag for tag, _ in found]
    ids = [rule["id"] for _, rule in found if "id" in rule]
    assert answer.status_code == (404 if "nobody" in path or "99" in path else 200)
    assert dict(found)["html"] == {"lang": "en"}
    assert names.count("h1") == 1
    assert names.count("title") >= 1
    assert ("a", {"class": "skip", "href": "#main"}) in found
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_under_a_strict_policy(client: TestClient, path: str):
    """No script, style or handler stands in a page, and nothing comes from another host."""
    for tag, rules in tags(client, path):
        assert tag != "style"
        assert tag != "script" or rules["src"].startswith("/static/")
        assert not [name for name in rules if name == "style" or name.startswith("on")]
        for key in ("src", "href", "action", "data-live", "data-figure"):
            assert not (rules.get(key) or "").startswith(("http:", "https:", "//", "javascript:"))


@pytest.mark.parametrize("path", ["/", "/s/waiting", "/s/digits-1", "/s/digits-1/4"])
def test_text_of_others_is_shown_as_text(client: TestClient, path: str):
    """A note and a message may hold anything."""
    assert HOSTILE not in client.get(path).text


def test_a_message_is_shown(client: TestClient):
    """Where it belongs: beside the network that failed."""
    assert "&lt;script&gt;alert(1)" in client.get("/s/digits-1/4").text


@pytest.mark.parametrize("path", PAGES)
def test_who_may_only_look_sees_no_way_to_change_anything(reader: TestClient, path: str):
    """Nothing is sent but questions; signing in and out are the exceptions."""
    found = tags(reader, path)
    sent = {rules["action"] for tag, rules in found if rules.get("method") == "post"}
    assert not [rules for _, rules in found if "formmethod" in rules]
    assert {one.partition("?")[0] for one in sent} <= {"/login", "/logout"}
    assert not [rules for _, rules in found if rules.get("href") == "/new"]


def test_who_may_only_look_gets_no_form(reader: TestClient):
    """Of a new search."""
    assert reader.get("/new").status_code == 403


def test_every_state_has_a_word_a_shape_and_things_to_do():
    """Those of the ports, and none else."""
    assert [*STATES] == [one.value for one in State]
    assert len({(one.shape, one.tone) for one in STATES.values()}) == len(STATES)
    for state in State:
        assert {*actions_for(state)} <= {*ACTIONS}
        assert actions_for(state)


def test_a_part_comes_alone_and_once(client: TestClient):
    """As the script asks for it; who has it already is told so."""
    answer = client.get("/s/digits-1?part=status&part=best&part=status&part=unknown")
    assert re.findall(r'data-part="(\w+)"', answer.text) == ["status", "best"]
    assert "<html" not in answer.text
    again = client.get(
        "/s/digits-1?part=status&part=best", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert "no-cache" in again.headers["Cache-Control"]


def test_every_part_of_a_page_can_be_had_alone(client: TestClient):
    """Each element with data-part is what the page's address gives for it."""
    for path in ("/", "/s/digits-1", "/s/waiting"):
        page = client.get(path).text
        for part in re.findall(r'data-part="(\w+)"', page):
            assert client.get(path, params={"part": part}).text.strip() in page


def test_a_title_carries_the_state(client: TestClient):
    """For who has many tabs."""
    assert "<title>completed: digits-1</title>" in client.get("/s/digits-1").text
    assert "<title>queued: waiting</title>" in client.get("/s/waiting").text


def test_a_search_that_waits_has_its_place(client: TestClient):
    """On its page and in the list."""
    assert "1st in the queue: it starts" in client.get("/s/waiting").text
    assert "1st in the queue" in client.get("/?part=list").text


def test_networks_are_listed_from_any_number(client: TestClient):
    """In each order, page by page, and from a number on."""
    first = client.get("/s/digits-1?part=population").text
    assert re.findall(r">#(\d+)<", first)[:3] == ["10", "9", "8"]
    onward = client.get("/s/digits-1?part=population&order=id&from=9").text
    assert re.findall(r">#(\d+)<", onward) == ["9", "10", "11"]
    assert "not yet" in onward
    refused = client.get("/s/digits-1?from=nine")
    assert refused.status_code == 422
    assert "from must be a network" in refused.text


def test_an_unknown_search_is_answered_with_the_nearest(client: TestClient):
    """The project's own line, on a page."""
    answer = client.get("/s/digits-2")
    assert answer.status_code == 404
    assert "did you mean &#39;digits-1&#39;?" in answer.text


@pytest.mark.parametrize("what", CHARTS)
@pytest.mark.parametrize("name", ["digits-1", "empty"])
def test_a_chart_is_plain_data(client: TestClient, name: str, what: str):
    """For Plotly, with something in it once there is something, and asked for again for nothing."""
    answer = client.get(f"/s/{name}/figures/{what}")
    figure = json.loads(answer.content, parse_constant=pytest.fail)
    assert {"data", "layout"} <= {*figure}
    n_points = sum(len(trace.get("x") or ()) for trace in figure["data"])
    assert name == "empty" or n_points > 0 or "empty" in figure
    again = client.get(
        f"/s/{name}/figures/{what}", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304


@pytest.mark.parametrize("what", CHARTS)
def test_a_chart_is_told_in_words(client: TestClient, what: str):
    """All that its points say, once, on a page that its own links to; networks are links."""
    where = f"/s/digits-1/figures/{what}/table"
    assert f'href="{where}"' in client.get("/s/digits-1").text
    text = client.get(where).text
    figure = client.get(f"/s/digits-1/figures/{what}").json()
    said = {one for trace in figure["data"] for one in trace.get("hovertext", ())}
    assert text.count('<th scope="row">') == len(said)
    numbers = {one for trace in figure["data"] for one in trace.get("customdata", ())}
    linked = re.findall(r'href="/s/digits-1/(\d+)"', text)
    assert {*map(int, linked)} >= numbers
    assert said or "No gene differs" in text


def test_a_comparison_and_a_training_are_told_in_words(client: TestClient):
    """Each as its chart has it."""
    compared = client.get("/compare?search=digits-1&search=empty").text
    (where,) = re.findall(r'href="(/compare/table[^"]*)"', compared)
    assert "epochs" in client.get(where.replace("&amp;", "&")).text
    curve = client.get("/s/digits-1/5/curve").json()
    told = client.get("/s/digits-1/5/curve/table").text
    n_points = sum(len(trace["hovertext"]) for trace in curve["data"])
    assert told.count('<th scope="row">') == n_points > 0


def test_what_the_winner_gets_wrong_has_a_page(client: TestClient):
    """The least accurate class first, and pictures; the search's page leads there once it can."""
    where = "/s/digits-1/mistakes"
    text = client.get(where).text
    classes = re.findall(r'<th scope="row">(\w+)</th>', text)
    assert f'href="{where}"' in client.get("/s/digits-1").text
    assert (classes, text.count('<img src="data:image/png')) == (["eins", "zero", "二"], 2)
    assert "of 300 test images 21 wrong; accuracy 0.9300" in text
    assert "/mistakes" not in client.get("/s/empty").text
    none = client.get("/s/empty/mistakes")
    assert (none.status_code, "longer training" in none.text) == (404, True)


def test_a_committee_answers_for_the_search(tmp_path: Path):
    """With its accuracy and what it costs; the winner's own stands beside it."""
    store = SqlStore(f"sqlite:///{tmp_path}/vlga.db")
    fill(store)
    files = [Artifact(number, "committee_weights", "x.pt", "ab" * 32, 7) for number in (9, 10)]
    score = replace(evaluation(10, 0.9375), epochs=0)
    store.add_evaluations("digits-1", [score], files, is_final=True, test_accuracy=0.9375)
    with TestClient(app_with(store, "read")) as client:
        page = client.get("/s/digits-1?part=best").text
    store.close()

    assert "<dt>Test accuracy</dt><dd>0.9375 ± " in page
    assert "<dt>The winner alone</dt><dd>0.8750 ± " in page
    assert "It answers by the mean of #9 and #10, together " in page


def test_failures_are_listed_by_reason(client: TestClient):
    """Each with its network and its message; the search's page leads there."""
    where = "/s/digits-1/failures?reason=diverged"
    assert f'href="{where}"' in client.get("/s/digits-1").text
    for path in (where, "/s/digits-1/failures"):
        text = client.get(path).text
        assert 'href="/s/digits-1/4"' in text
        assert "&lt;script&gt;alert(1)" in text
    assert (
        "No training failed so: timed out"
        in client.get("/s/digits-1/failures?reason=timed_out").text
    )
    assert "No training failed." in client.get("/s/empty/failures").text
    refused = client.get("/s/digits-1/failures?reason=bored")
    assert (refused.status_code, "reason must be one of" in refused.text) == (422, True)


@pytest.mark.parametrize("what", ["fitness", "size"])
def test_points_of_a_chart_lead_to_networks(client: TestClient, what: str):
    """Each trained network is there by its number."""
    figure = client.get(f"/s/digits-1/figures/{what}").json()
    numbers = {one for trace in figure["data"] for one in trace.get("customdata", ())}
    assert numbers >= {0, 5, 10}


def test_a_chart_that_does_not_exist_is_refused(client: TestClient):
    """With those that do."""
    answer = client.get("/s/digits-1/figures/moon")
    assert answer.status_code == 422
    assert "must be one of best, fitness" in answer.text


def test_a_network_tells_its_family(client: TestClient):
    """Each ancestor is a link with what it is and what changed."""
    text = client.get("/s/digits-1/5").text
    drawing = text[text.index("<svg class=") : text.index("</svg>", text.index("<svg class="))]
    linked = {int(one) for one in re.findall(r'href="/s/digits-1/(\d+)"', drawing)}
    assert linked == {0, 1, 2, 3, 4, 5}
    assert drawing.count("<title>") == 6


def test_searches_are_compared(client: TestClient):
    """Side by side, with the settings that differ; one alone cannot be."""
    assert "Choose at least two" in client.get("/compare?search=digits-1").text
    page = client.get("/compare?search=digits-1&search=empty").text
    assert "Settings that differ" in page
    figure = client.get("/compare/figure?search=digits-1&search=empty").json()
    assert figure["data"]
    too_many = client.get("/compare", params={"search": [f"s{n}" for n in range(21)]})
    assert too_many.status_code == 422


def test_signing_in_leads_nowhere_else(client: TestClient):
    """The address to go on to is one of this host."""
    for next_, kept in (
        ("/s/digits-1", "/s/digits-1"),
        ("//evil", "/"),
        ("https://e", "/"),
        ("/\\e", "/"),
    ):
        text = client.get("/login", params={"next": next_}).text
        assert f'name="next" value="{kept}"' in text
