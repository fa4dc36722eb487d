"""The files that pages load."""

from __future__ import annotations

import gzip

import pytest
from fastapi.testclient import TestClient

from vlga.service.pages.assets import ASSETS, asset_url


@pytest.mark.parametrize("name", ["style.css", "vlga.js", "figures.js"])
def test_a_file_is_kept_for_ever(client: TestClient, name: str):
    """Its address has the hash of its content, and it comes packed to who can unpack it."""
    plain = client.get(asset_url(name), headers={"Accept-Encoding": "identity"})
    packed = client.get(asset_url(name), headers={"Accept-Encoding": "gzip"})
    assert "immutable" in plain.headers["Cache-Control"]
    assert packed.headers["Content-Encoding"] == "gzip"
    assert plain.content == packed.content == ASSETS[name][1].read_bytes()


def test_another_hash_gets_nothing(client: TestClient):
    """A page of before an upgrade does not get a script of after it."""
    assert client.get("/static/0123456789abcdef/vlga.js").status_code == 404
    assert client.get("/static/0123456789abcdef/nothing.js").status_code == 404


def test_little_is_loaded_before_the_first_paint():
    """The style and the script, packed; Plotly comes later, from the installed package."""
    first = [ASSETS[name][1].read_bytes() for name in ("style.css", "vlga.js")]
    assert sum(len(gzip.compress(one)) for one in first) <= 60_000
    assert 1_000_000 < len(ASSETS["plotly.js"][1].read_bytes()) < 6_000_000


def test_the_script_is_small_and_our_own():
    """At most 200 lines, and nothing of another host."""
    text = ASSETS["vlga.js"][1].read_text(encoding="utf-8")
    assert text.count("\n") <= 200
    assert "://" not in text
    assert "://" not in ASSETS["style.css"][1].read_text(encoding="utf-8")
