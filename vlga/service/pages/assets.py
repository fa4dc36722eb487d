"""The files that pages load: each at an address with the hash of its content, kept for ever."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from fastapi import APIRouter, Request, Response

from vlga.report.html import plotly_file

__all__ = ["ASSETS", "asset_url", "router"]

router = APIRouter(include_in_schema=False)

_SCRIPT, _STYLE = "text/javascript; charset=utf-8", "text/css; charset=utf-8"
#: By name: the media type and the file.
ASSETS = {
    "style.css": (_STYLE, files("vlga.service.pages") / "static" / "style.css"),
    "vlga.js": (_SCRIPT, files("vlga.service.pages") / "static" / "vlga.js"),
    "figures.js": (_SCRIPT, files("vlga.report") / "figures.js"),
    "plotly.js": (_SCRIPT, plotly_file()),
}
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


@dataclass(frozen=True, slots=True)
class _Asset:
    media_type: str
    body: bytes
    digest: str


def asset_url(name: str) -> str:
    """Give the address of a file of `ASSETS`."""
    return f"/static/{_asset(name).digest}/{name}"


@router.get("/static/{digest}/{name}")
def asset(request: Request, digest: str, name: str) -> Response:
    """Give a file. A page that was loaded before an upgrade gets none instead of a newer one."""
    if name not in ASSETS or _asset(name).digest != digest:
        return Response("no such file", 404, media_type="text/plain")
    found, headers = _asset(name), dict(_FOR_EVER)
    body = found.body
    if "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["Content-Encoding"] = _packed(name), "gzip"
    return Response(body, headers=headers, media_type=found.media_type)


@cache
def _asset(name: str) -> _Asset:
    media_type, file = ASSETS[name]
    body = file.read_bytes()
    return _Asset(media_type, body, sha256(body).hexdigest()[:16])


@cache
def _packed(name: str) -> bytes:
    """Give a file packed, which takes Plotly a third of a second, once."""
    return gzip.compress(_asset(name).body, 6, mtime=0)
