"""What each request must be before anything else looks at it, and what each answer carries.

Who can make a browser ask this service without being its page: a host name that leads here (DNS
rebinding), and another site's page (CSRF). The first is refused by the host's name, which is
parsed and not matched: names can look like addresses. The second by what browsers say of where a
request comes from, with the rule of Go 1.25's ``http.CrossOriginProtection``.
"""

from __future__ import annotations

import ipaddress
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vlga.errors import shown
from vlga.service.context import Options
from vlga.service.errors import problem

__all__ = ["MOST_BODY_BYTES", "PROBES", "SAFE_METHODS", "Guards", "is_own_host", "is_own_page"]

MOST_BODY_BYTES = 2**20
PROBES = ("/healthz", "/readyz")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9_.-]{1,253}))(?::([0-9]{1,5}))?")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guards:
    """Refuses foreign hosts, other sites' pages, and bodies that are too large or no JSON."""

    def __init__(self, app: ASGIApp, options: Options) -> None:
        self._app = app
        self._options = options

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        headers = Headers(scope=scope)
        refusal = None
        if scope["path"] not in PROBES:
            refusal = _refusal(scope, headers, self._options)
        if refusal is not None:
            await refusal(scope, receive, answer)
            return
        body = await _read(receive) if scope["method"] not in SAFE_METHODS else b""
        if body is None:
            detail = f"a body must be at most {MOST_BODY_BYTES:,} bytes, but this one has more"
            too_large = problem(413, "too-large", detail, headers={"Connection": "close"})
            await too_large(scope, receive, answer)
            return
        is_api = scope["path"].startswith("/api/")
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if body and is_api and kind != "application/json":
            detail = f"a body must be application/json, but got {shown(kind)}"
            await problem(415, "media-type", detail)(scope, receive, answer)
            return
        await self._app(scope, _replay(body, receive), answer)


def is_own_host(host: str, options: Options) -> bool:
    """Whether a request's host is this service: this machine, where it listens, or allowed.

    Args:
        host: the header, with or without a port.
        options: of the service.
    """
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name = (found[1] or found[2]).rstrip(".").lower()
    if name == "localhost" or name in {one.rstrip(".").lower() for one in options.allowed_hosts}:
        return True
    try:
        address = ipaddress.ip_address(name)
        bound = ipaddress.ip_address(options.host)
    except ValueError:  # a name, or bound to one
        return name == options.host.lower()
    # Where it listens on every address, any is its own: no name of somebody else leads to it.
    return address.is_loopback or address == bound or bound.is_unspecified


def is_own_page(host: str, site: str | None, origin: str | None, *, has_bearer: bool) -> bool:
    """Whether a request that changes something comes from this service's page, or from no browser.

    Args:
        host: the header.
        site: the header ``Sec-Fetch-Site``, or None.
        origin: the header, or None.
        has_bearer: whether a token came with it, which browsers never add by themselves.
    """
    if site is not None:
        return site in ("same-origin", "none")
    if origin is not None:
        return origin.partition("://")[2].lower() == host.lower()
    return has_bearer


def _refusal(scope: Scope, headers: Headers, options: Options) -> ASGIApp | None:
    """Give the answer to a request that must not be looked at, or None."""
    hosts = headers.getlist("host")
    host = hosts[0] if len(hosts) == 1 else ""
    if not is_own_host(host, options):
        return problem(
            421,
            "host",
            f"a request's Host must be this service, but got {shown(', '.join(hosts))}; "
            "allow a name with: vlga serve --allow-host NAME",
        )
    if scope["method"] in SAFE_METHODS:
        return None
    has_bearer = headers.get("authorization", "").lower().startswith("bearer ")
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if is_own_page(host, site, origin, has_bearer=has_bearer):
        return None
    return problem(
        403,
        "other-site",
        "a request that changes something must come from this service's own page, or with a bearer "
        f"token, but got Sec-Fetch-Site {shown(site)} and Origin {shown(origin)}",
    )


async def _read(receive: Receive) -> bytes | None:
    """Read a body; None if it is too large."""
    parts: list[bytes] = []
    n_bytes = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        parts.append(message.get("body", b""))
        n_bytes += len(parts[-1])
        if n_bytes > MOST_BODY_BYTES:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give a body that was read once more, then what really comes: the end of the connection."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    left = iter(messages)

    async def again() -> Message:
        message = next(left, None)
        return await receive() if message is None else message

    return again
