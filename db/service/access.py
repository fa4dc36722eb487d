"""Who may use the service: tokens, and the browsers that signed in with one.

Tokens are made on the machine of the database only. It keeps their SHA-256 alone: they are random
and long, so that nobody finds one by trying.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

from sqlalchemy import Connection, Engine, RowMapping, delete, insert, select, update

from db.connection.engine import reading, writing
from db.schema.service import sessions, tokens
from vlga.errors import AccessDenied, ConfigError, nearest, shown

__all__ = ["SESSION_DAYS", "Access", "Scope", "Token"]

#: ``read`` looks; ``write`` also submits, pauses, stops, resumes and deletes.
Scope = Literal["read", "write"]

#: How long a browser stays signed in.
SESSION_DAYS = 30

#: How much later a use may be than the one that is written down.
_USED_EVERY = timedelta(minutes=1)

_MOST_DAYS = 36_500
_MOST_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class Token:
    """What somebody may use the service with; the secret itself is not kept.

    Attributes:
        name: of the token, which stands for its user in the history of searches.
        scope: what it is good for.
        created_at: aware, as the others.
        expires_at: None for never.
        used_at: to the minute; None if it was not.
        revoked_at: None if it was not.
    """

    name: str
    scope: Scope
    created_at: datetime
    expires_at: datetime | None = None
    used_at: datetime | None = None
    revoked_at: datetime | None = None


class Access:
    """Tokens and sessions in a database. Any number of processes and threads may use it at once.

    All methods raise `StoreError`s.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, name: str, scope: Scope = "write", *, days: int | None = None) -> str:
        """Make a token, and give its secret, which is shown this once.

        Args:
            name: of letters, digits, ``_ . -``; no other token may have it, not even a revoked one.
            scope: what it is good for.
            days: after which it expires, from 1; None for never.

        Raises:
            ConfigError: the name is none, or taken; the days are out of range.
        """
        if not re.fullmatch(r"\w[\w.-]{0,99}", name):
            raise ConfigError(
                "a token's name must be at most 100 letters, digits, '_', '.' and '-', beginning "
                f"with one of the first three, but got {shown(name)}"
            )
        if days is not None and not 1 <= days <= _MOST_DAYS:
            raise ConfigError(f"--days must be from 1 to {_MOST_DAYS}, but got {days}")
        secret = f"vlga_{secrets.token_urlsafe(32)}"
        with writing(self._engine) as connection:
            if _row(connection, tokens.c.name == name) is not None:
                raise ConfigError(
                    f"a token's name must be new, but {name!r} is taken; choose another"
                )
            _insert(connection, name, scope, secret, days)
        return secret

    def adopt(self, name: str, secret: str) -> None:
        """Let a secret that was chosen elsewhere be a token with scope ``write`` for ever.

        A former one of that name ends, with its sessions, unless it has the same secret. So does a
        token of another name with the same secret.
        """
        with writing(self._engine) as connection:
            former = _row(connection, tokens.c.name == name)
            if former is not None and (former["sha256"], former["revoked_at"]) == (
                _hashed(secret),
                None,
            ):
                return
            same = (tokens.c.name == name) | (tokens.c.sha256 == _hashed(secret))
            connection.execute(delete(tokens).where(same))
            _insert(connection, name, "write", secret, None)

    def tokens(self) -> Sequence[Token]:
        """Give every token, the oldest first."""
        statement = select(tokens).order_by(tokens.c.created_at, tokens.c.name)
        with reading(self._engine) as connection:
            return [_token(row) for row in connection.execute(statement).mappings()]

    def revoke(self, name: str) -> None:
        """End a token with its sessions; the token is listed further on.

        Raises:
            ConfigError: there is none of that name, or it was revoked before.
        """
        with writing(self._engine) as connection:
            row = _row(connection, tokens.c.name == name)
            if row is None:
                known = connection.scalars(select(tokens.c.name)).all()
                hint = nearest(name, known) if known else "; there is none yet"
                raise ConfigError(
                    f"a token must exist to be revoked, but {shown(name)} does not{hint}"
                )
            if row["revoked_at"] is not None:
                raise ConfigError(
                    f"a token must be good to be revoked, but {name!r} was revoked at "
                    f"{row['revoked_at']:%Y-%m-%d %H:%M} UTC"
                )
            values = {"revoked_at": datetime.now(UTC)}
            connection.execute(update(tokens).where(tokens.c.name == name).values(**values))
            connection.execute(delete(sessions).where(sessions.c.token == name))

    def token(self, secret: str) -> Token:
        """Give the token of a secret, and note that it was used.

        Raises:
            AccessDenied: there is none; it has expired; it was revoked.
        """
        with reading(self._engine) as connection:
            row = None
            if len(secret) <= _MOST_CHARACTERS:
                row = _row(connection, tokens.c.sha256 == _hashed(secret))
        if row is None:
            raise AccessDenied(
                "a token must be one of this service, but this one is not; "
                "make one with: vlga token create NAME"
            )
        return self._checked(row)

    def sign_in(self, secret: str) -> str:
        """Begin a session with a token's secret; give the session's own.

        Raises:
            AccessDenied: as `token`.
        """
        token, session = self.token(secret), secrets.token_urlsafe(32)
        now = datetime.now(UTC)
        row = {
            "sha256": _hashed(session),
            "token": token.name,
            "created_at": now,
            "expires_at": now + timedelta(days=SESSION_DAYS),
        }
        with writing(self._engine) as connection:
            connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
            connection.execute(insert(sessions).values(**row))
        return session

    def session(self, session: str) -> Token:
        """Give the token that a session began with.

        Raises:
            AccessDenied: there is no such session, it or its token has ended.
        """
        statement = (
            select(tokens, sessions.c.expires_at.label("session_expires_at"))
            .join(sessions, sessions.c.token == tokens.c.name)
            .where(sessions.c.sha256 == _hashed(session))
        )
        with reading(self._engine) as connection:
            row = connection.execute(statement).mappings().one_or_none()
        if row is None or row["session_expires_at"] <= datetime.now(UTC):
            raise AccessDenied("a browser must have signed in, but this one has not; sign in")
        return self._checked(row)

    def sign_out(self, session: str) -> None:
        """End a session, if there is one."""
        with writing(self._engine) as connection:
            connection.execute(delete(sessions).where(sessions.c.sha256 == _hashed(session)))

    def _checked(self, row: RowMapping) -> Token:
        """Give a token that is good now, and note at most once a minute that it was used."""
        token, now = _token(row), datetime.now(UTC)
        for what, at in (("was revoked", token.revoked_at), ("expired", token.expires_at)):
            if at is not None and at <= now:
                raise AccessDenied(
                    f"a token must be good, but {token.name!r} {what} at {at:%Y-%m-%d %H:%M} UTC; "
                    "make another with: vlga token create NAME"
                )
        if token.used_at is None or now - token.used_at >= _USED_EVERY:
            with writing(self._engine) as connection:
                mine = tokens.c.name == token.name
                connection.execute(update(tokens).where(mine).values(used_at=now))
        return token


def _hashed(secret: str) -> str:
    return sha256(secret.encode(errors="replace")).hexdigest()


def _row(connection: Connection, condition: Any) -> RowMapping | None:
    return connection.execute(select(tokens).where(condition)).mappings().one_or_none()


def _insert(connection: Connection, name: str, scope: Scope, secret: str, days: int | None) -> None:
    now = datetime.now(UTC)
    expires = None if days is None else now + timedelta(days=days)
    row = {"name": name, "sha256": _hashed(secret), "scope": scope}
    connection.execute(insert(tokens).values(**row, created_at=now, expires_at=expires))


def _token(row: RowMapping) -> Token:
    return Token(**{name: row[name] for name in Token.__slots__})
