"""The service as a server: its socket, its end, and what it says when it is ready."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI

from vlga.errors import ConfigError, shown
from vlga.service.events import Live

__all__ = ["listen", "require_private", "require_tls", "serve"]

#: How long answers that were begun may take when the service ends; streams end before.
_GRACE_SECONDS = 1


class _Server(uvicorn.Server):
    """Ends its streams first, and ends without a signal of its own."""

    def __init__(self, config: uvicorn.Config, live: Live, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._live = live
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            # What is loaded stays: looking for garbage in it would hold an answer up for 0.1 s.
            gc.freeze()
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._live.close()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End at the first SIGINT or SIGTERM, as asked, so with exit code 0."""

        def end(number: int, _frame: FrameType | None) -> None:
            self.handle_exit(number, None)

        kinds = (signal.SIGINT, signal.SIGTERM)
        former = {number: signal.signal(number, end) for number in kinds}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)


def serve(
    app: FastAPI,
    listening: socket.socket,
    *,
    ready: Callable[[], None],
    certificate: Path | None = None,
    key: Path | None = None,
    behind_proxy: bool = False,
) -> None:
    """Answer until SIGINT or SIGTERM.

    Args:
        app: of `vlga.service.app.create_app`.
        listening: from `listen`.
        ready: called once it answers.
        certificate: for TLS, or None.
        key: of the certificate, if it is not in the same file.
        behind_proxy: whether a proxy tells the scheme and the client by ``X-Forwarded-*``.
    """
    config = uvicorn.Config(
        app,
        http="h11",
        loop="asyncio",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,  # it has queries, and so tokens
        server_header=False,
        proxy_headers=behind_proxy,
        forwarded_allow_ips="*" if behind_proxy else None,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    server = _Server(config, app.state.live, ready)
    asyncio.run(server.serve([listening]))


def listen(host: str, port: int) -> socket.socket:
    """Listen at an address. Raises `ConfigError` if it is not this machine's, or taken."""
    try:
        family, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server((host, port), family=family, backlog=1024)
    except socket.gaierror as error:
        raise ConfigError(
            f"--host must be an address of this machine, but got {shown(host)}: {error.strerror}"
        ) from error
    except UnicodeError:
        raise ConfigError(
            f"--host must be an address of this machine, but got {shown(host)}"
        ) from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"--port must be free, but {port} is taken, maybe by another vlga serve; "
                "choose another"
            ) from error
        rule = "--port must be one that you may use"
        if error.errno == errno.EADDRNOTAVAIL:
            rule = "--host must be an address of this machine"
        raise ConfigError(f"{rule}, but got {host}:{port}: {error.strerror}") from error


def require_tls(certificate: Path, key: Path | None) -> None:
    """Refuse a certificate that a server cannot use. Raises `ConfigError`."""
    if key is not None:
        require_private(key, "--keyfile")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            certificate, key, password=lambda: ""
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise ConfigError(
            "--certfile and --keyfile must be a certificate and its key, without a password, but "
            f"{shown(str(certificate))} is not: {reason or error}"
        ) from error


def require_private(file: Path, option: str) -> None:
    """Refuse a secret that others can read. Raises `ConfigError`."""
    try:
        mode = file.stat().st_mode
    except OSError as error:
        raise ConfigError(
            f"{option} must be a file that can be read, but {shown(str(file))} cannot: "
            f"{error.strerror}"
        ) from error
    if mode & 0o077:
        raise ConfigError(
            f"{option} must be a file that only you can read, but {shown(str(file))} has mode "
            f"{mode & 0o777:o}; run: chmod 600 {file}"
        )
