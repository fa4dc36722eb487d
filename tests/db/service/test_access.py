"""Tokens and sessions: good, expired, revoked; nothing but hashes in the database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event, select, update

from db.connection.engine import reading, writing
from db.schema.service import sessions, tokens
from db.service.access import SESSION_DAYS, Access
from db.store import SqlStore
from vlga.errors import AccessDenied, ConfigError


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    with closing(SqlStore(url)) as store:
        yield store.engine


def _age(engine: Engine, **days: float) -> None:
    """Let moments of all tokens and sessions lie so many days back."""
    with writing(engine) as connection:
        for table in (tokens, sessions):
            then = {
                name: datetime.now(UTC) - timedelta(days=n)
                for name, n in days.items()
                if name in table.c
            }
            if then:
                connection.execute(update(table).values(**then))


def test_a_token_lets_in_with_its_scope(engine: Engine):
    """Its secret is long and random, and stands nowhere in the database."""
    access = Access(engine)
    secret, other = access.create("anna"), access.create("page", "read", days=1)

    assert re.fullmatch(r"vlga_[\w-]{43}", secret)
    assert secret != other
    assert (access.token(secret).name, access.token(secret).scope) == ("anna", "write")
    assert access.token(other).scope == "read"
    assert [one.name for one in access.tokens()] == ["anna", "page"]
    with reading(engine) as connection:
        kept = str(connection.execute(select(tokens)).all())
    assert secret[5:] not in kept


@pytest.mark.parametrize("wrong", ["", "vlga_", "x" * 48, "x" * 10**6, "\ud800", "\0"])
def test_a_wrong_token_is_refused(engine: Engine, wrong: str):
    """As token and as session, whatever it is."""
    access = Access(engine)
    for check in (access.token, access.sign_in, access.session):
        with pytest.raises(AccessDenied):
            check(wrong)


def test_a_token_ends_with_its_sessions(engine: Engine):
    """When it expires and when it is revoked."""
    access = Access(engine)
    old, revoked = access.create("old", days=1), access.create("revoked")
    signed_in = [access.sign_in(old), access.sign_in(revoked)]
    assert [access.session(one).name for one in signed_in] == ["old", "revoked"]
    access.revoke("revoked")
    with writing(engine) as connection:
        past = datetime.now(UTC) - timedelta(seconds=1)
        connection.execute(update(tokens).where(tokens.c.name == "old").values(expires_at=past))

    with pytest.raises(AccessDenied, match="'old' expired at"):
        access.token(old)
    with pytest.raises(AccessDenied, match="'revoked' was revoked at"):
        access.token(revoked)
    for session in signed_in:
        with pytest.raises(AccessDenied):
            access.session(session)
    with pytest.raises(ConfigError, match="'revoked' was revoked at"):
        access.revoke("revoked")
    with pytest.raises(ConfigError, match="did you mean 'old'"):
        access.revoke("odl")


def test_a_session_ends_by_itself_and_when_somebody_signs_out(engine: Engine):
    """Thirty days after it began; those that have ended are cleared away."""
    access = Access(engine)
    secret = access.create("anna")
    first, second = access.sign_in(secret), access.sign_in(secret)
    access.sign_out(first)
    with pytest.raises(AccessDenied, match="sign in"):
        access.session(first)
    with reading(engine) as connection:
        (row,) = connection.execute(select(sessions)).mappings()
        assert row["expires_at"] - row["created_at"] == timedelta(days=SESSION_DAYS)
    _age(engine, expires_at=0)
    with writing(engine) as connection:
        connection.execute(update(tokens).values(expires_at=None))
    with pytest.raises(AccessDenied, match="sign in"):
        access.session(second)
    access.sign_in(secret)
    with reading(engine) as connection:
        assert len(connection.execute(select(sessions)).all()) == 1


def test_a_use_is_written_once_a_minute(engine: Engine):
    """However often a token is used."""
    access = Access(engine)
    secret = access.create("anna")
    written = []
    event.listen(
        engine,
        "before_cursor_execute",
        lambda _c, _k, statement, *_: statement.startswith("UPDATE") and written.append(1),
    )
    for _ in range(3):
        access.token(secret)
    assert len(written) == 1
    _age(engine, used_at=1)
    access.token(secret)

    (token,) = access.tokens()
    assert token.used_at is not None
    assert datetime.now(UTC) - token.used_at < timedelta(minutes=1)


def test_a_secret_from_elsewhere_is_taken_over(engine: Engine):
    """The same again changes nothing; another one ends the former with its sessions."""
    access = Access(engine)
    access.adopt("VLGA_TOKEN", "first secret")
    session = access.sign_in("first secret")
    access.adopt("VLGA_TOKEN", "first secret")
    assert access.session(session).name == "VLGA_TOKEN"

    access.adopt("VLGA_TOKEN", "second secret")
    assert access.token("second secret").scope == "write"
    with pytest.raises(AccessDenied):
        access.token("first secret")
    with pytest.raises(AccessDenied):
        access.session(session)


@pytest.mark.parametrize("name", ["", "-x", "a b", "a/b", "x" * 101, "\0", "\ud800"])
def test_a_name_must_be_one_and_new(engine: Engine, name: str):
    """The history of searches is read by people."""
    access = Access(engine)
    with pytest.raises(ConfigError, match="a token's name must be at most 100 letters"):
        access.create(name)
    access.create("anna")
    with pytest.raises(ConfigError, match="'anna' is taken"):
        access.create("anna")
    with pytest.raises(ConfigError, match="--days must be from 1 to"):
        access.create("old", days=0)
