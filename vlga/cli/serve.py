"""``vlga serve``: the search service, in one process that loads neither torch nor Ray."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from db.read.folder import files_folder
from db.service.access import Access
from db.service.queue import SqlQueue
from db.store import SqlStore
from vlga.cli.options import db_option
from vlga.errors import ConfigError
from vlga.service import server
from vlga.service.app import create_app
from vlga.service.context import Options, Service
from vlga.service.supervisor import Supervisor

__all__ = ["serve"]

#: So long lets in a token that was made at a start.
_MADE_FOR_DAYS = 30
_SHORT_TOKEN = 20

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path, resolve_path=True)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8642,
    show_default=True,
    help="Port to listen on; 0: any that is free.",
)
@db_option
@click.option(
    "--searches",
    "n_searches",
    type=click.IntRange(0, 1000),
    default=1,
    show_default=True,
    help="Searches that run at a time; 0: start none, and steer those of others.",
)
@click.option(
    "--address",
    envvar="RAY_ADDRESS",
    help="Ray cluster that all searches use; also RAY_ADDRESS. If not given, each starts Ray here.",
)
@click.option(
    "--data",
    "roots",
    multiple=True,
    type=_FOLDER,
    metavar="DIR",
    help="Folder whose images may be searched on, besides the known data sets; repeatable.",
)
@click.option(
    "--allow-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="Another name by which the service is called; repeatable.",
)
@click.option(
    "--behind-proxy",
    is_flag=True,
    help="A proxy in front of it does TLS, and tells by whom it is called.",
)
@click.option("--certfile", type=_FILE, help="Certificate, for TLS.")
@click.option("--keyfile", type=_FILE, help="Key of the certificate, if that has none in it.")
def serve(
    *,
    host: str,
    port: int,
    db_url: str,
    n_searches: int,
    address: str | None,
    roots: tuple[Path, ...],
    allowed_hosts: tuple[str, ...],
    behind_proxy: bool,
    certfile: Path | None,
    keyfile: Path | None,
) -> None:
    """Serve searches: a page in the browser, and REST for programs.

    Prints an address with a token when it is ready. With VLGA_TOKEN, or VLGA_TOKEN_FILE for a file
    that has it, that is the token. `vlga token` makes more. Ctrl-C or SIGTERM ends the service;
    searches that it has started go on, and the next one takes them over.
    """
    secret = _given_token()
    if keyfile is not None and certfile is None:
        raise ConfigError("--keyfile needs a certificate, but got none; give --certfile too")
    if certfile is not None:
        server.require_tls(certfile, keyfile)
    is_secure = certfile is not None or behind_proxy
    with closing(server.listen(host, port)) as listening, closing(SqlStore(db_url)) as store:
        access = Access(store.engine)
        printed = "" if secret else f"?token={_made_token(access)}"
        if secret:
            access.adopt("VLGA_TOKEN", secret)
        port = listening.getsockname()[1]
        _warn(host, secret, is_secure=is_secure)
        with _supervised(db_url, n_searches, address) as supervisor:
            service = Service(
                store.engine,
                SqlQueue(store.engine),
                access,
                roots,
                Options(host, port, allowed_hosts, is_secure),
                supervisor,
                files_folder(store.engine).parents[1] / "vlga-logs",
            )
            scheme = "http" if certfile is None else "https"
            url = f"{scheme}://{_shown_host(host)}:{port}/{printed}"
            server.serve(
                create_app(service),
                listening,
                ready=lambda: click.echo(url),
                certificate=certfile,
                key=keyfile,
                behind_proxy=behind_proxy,
            )
    click.echo("the service has ended; searches go on", err=True)


@contextmanager
def _supervised(db_url: str, n_searches: int, address: str | None) -> Iterator[Supervisor]:
    """Carry out the queue during the block."""
    supervisor = Supervisor(db_url, n_searches=n_searches, address=address)
    supervisor.start()
    with closing(supervisor):
        yield supervisor


def _given_token() -> str | None:
    """Give the token of the environment, or None."""
    secret, file = os.environ.get("VLGA_TOKEN"), os.environ.get("VLGA_TOKEN_FILE")
    if file:
        if secret:
            raise ConfigError("VLGA_TOKEN and VLGA_TOKEN_FILE must not both be set; unset one")
        server.require_private(Path(file), "VLGA_TOKEN_FILE")
        secret = Path(file).read_text(encoding="utf-8", errors="replace")
    if secret is None:
        return None
    secret = secret.strip()
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise ConfigError(
            "VLGA_TOKEN must be one word of ASCII characters, but is something else; "
            "make one with: openssl rand -hex 32"
        )
    return secret


def _made_token(access: Access) -> str:
    """Make a token to print once."""
    names = {one.name for one in access.tokens()}
    stem = f"serve-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    name = next(one for one in (stem, *(f"{stem}-{n}" for n in range(2, 1000))) if one not in names)
    return access.create(name, days=_MADE_FOR_DAYS)


def _warn(host: str, secret: str | None, *, is_secure: bool) -> None:
    if secret is not None and len(secret) < _SHORT_TOKEN:
        click.echo(
            "VLGA_TOKEN is short, so that somebody may guess it; better: openssl rand -hex 32",
            err=True,
        )
    if not is_secure and not _is_loopback(host):
        click.echo(
            f"{host} can be reached from other machines, and tokens go there unencrypted; "
            "give --certfile and --keyfile, or --behind-proxy",
            err=True,
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shown_host(host: str) -> str:
    """Give the host of an address for this machine's browser."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "[::1]" if address.version == 6 else "127.0.0.1"
    return f"[{address}]" if address.version == 6 else str(address)
