from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.connection.urls import masked, parse_url
from vlga.errors import StoreError


def refusal(url: str) -> str:
    """Give what `parse_url` says against a URL; nothing if it takes it."""
    try:
        parse_url(url)
    except StoreError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgres_has_three_spellings(scheme):
    """Each way to write a Postgres URL means the psycopg driver."""
    parsed = parse_url(f"{scheme}://ada:secret@host:5433/ledger?sslmode=require")

    assert parsed.drivername == "postgresql+psycopg"
    assert (parsed.host, parsed.port, parsed.database) == ("host", 5433, "ledger")


@pytest.mark.parametrize(
    "url", ["vlga.db", "", "mysql://host/x", "sqlite+aiosqlite:///x", "postgresql://h:port/x"]
)
def test_other_urls_are_refused(url):
    """What is neither SQLite nor Postgres is refused with both forms and the value."""
    with pytest.raises(StoreError, match=r"--db must be sqlite:///FILE or postgresql\+psycopg"):
        parse_url(url)


def test_a_bare_path_gets_a_hint():
    """A path without a scheme is answered with the URL that was meant."""
    with pytest.raises(StoreError, match=r"'vlga\.db'; for a file write sqlite:///vlga.db"):
        parse_url("vlga.db")


def test_none_at_all_gets_one_too():
    """As of a pasted command that takes the URL from VLGA_DB, where that is not set."""
    with pytest.raises(StoreError, match="but got ''; to type no password, set VLGA_DB to the"):
        parse_url("")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ada:secret@host/x", "postgresql://ada:***@host/x"),
        ("postgresql://ada@host/x?password=secret", "postgresql://ada@host/x?password=***"),
        ("postgresql://ada:secret@host:port/x", "postgresql://ada:***@host:port/x"),
        ("postgresql://ada@corp:s@cret@host/x", "postgresql://ada@corp:***@host/x"),
        ("postgresql://ada@host:5433/x", "postgresql://ada@host:5433/x"),
        ("sqlite:///vlga.db", "sqlite:///vlga.db"),
    ],
)
def test_a_masked_url_keeps_all_but_the_password(url, shown):
    """`masked` hides the password wherever it stands, also in a malformed URL."""
    assert masked(url) == shown


def test_an_at_sign_belongs_to_the_password():
    """Though it should be %40: the host begins behind the last one."""
    parsed = parse_url("postgresql://ada:se@cr@et@host/x")

    assert (parsed.username, parsed.password, parsed.host) == ("ada", "se@cr@et", "host")


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"])))
def test_no_password_shows(noise):
    """Whatever characters a password has, escaped or not, it never shows."""
    url = f"postgresql://ada:{noise}SECRET{noise}@host/x"

    assert "SECRET" not in masked(url)
    assert "SECRET" not in refusal(url)
