"""Errors as answers: RFC 9457 problems, made from the project's own one-line errors."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from vlga.errors import (
    AccessDenied,
    ConfigError,
    DataError,
    ExportError,
    LeaseLost,
    NoIndividual,
    QueueFull,
    SchemaVersionError,
    SearchDone,
    SearchExists,
    SearchHeld,
    SearchNotFound,
    StoreError,
    StoreUnavailable,
    VlgaError,
    plain,
    shown,
)
from vlga.service.context import pages

__all__ = ["RETRY_SECONDS", "Problem", "add_handlers", "problem", "problem_of"]

logger = logging.getLogger(__name__)

RETRY_SECONDS = 5

#: The first that fits.
_KINDS: tuple[tuple[type[VlgaError], int, str], ...] = (
    (AccessDenied, 401, "access-denied"),
    (DataError, 422, "data"),
    (ConfigError, 422, "settings"),
    (ExportError, 422, "export"),
    (SearchNotFound, 404, "no-search"),
    (NoIndividual, 404, "no-candidate"),
    (SearchExists, 409, "search-exists"),
    (SearchHeld, 409, "search-held"),
    (SearchDone, 409, "search-done"),
    (LeaseLost, 409, "search-held"),
    (QueueFull, 429, "queue-full"),
    (StoreUnavailable, 503, "database-away"),
    (SchemaVersionError, 503, "database-version"),
    (StoreError, 503, "database"),
)
_WAIT = (401, 429, 503)


class Problem(BaseModel):
    """What went wrong (RFC 9457): where, the rule, the value and the way out, in one line."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] | None = None


def problem(
    status: int,
    kind: str,
    detail: str,
    *,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Give an answer that says what went wrong.

    Args:
        status: of HTTP, from 400.
        kind: a few words with dashes, the same for the same kind of mistake.
        detail: one line.
        errors: each mistake in what was sent: `pointer` to it and `detail`.
        headers: more of them.
    """
    body: dict[str, Any] = {
        "type": f"/problems/{kind}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": plain(" ".join(detail.split())),
    }
    if errors:
        body["errors"] = [*errors]
    more = dict(headers or {})
    if status in (429, 503):
        more.setdefault("Retry-After", str(RETRY_SECONDS))
    if status == HTTPStatus.UNAUTHORIZED:
        more.setdefault("WWW-Authenticate", 'Bearer realm="vlga"')
    return JSONResponse(body, status, more, media_type="application/problem+json")


def problem_of(error: VlgaError) -> JSONResponse:
    """Give the answer for an error of the project."""
    status, name = next(
        ((status, name) for kind, status, name in _KINDS if isinstance(error, kind)),
        (500, "failed"),
    )
    errors = []
    if isinstance(error, ConfigError) and (pointer := _pointer(str(error))):
        errors = [{"pointer": pointer, "detail": plain(str(error))}]
    return problem(status, name, str(error), errors=errors)


def add_handlers(app: FastAPI) -> None:
    """Let an app answer every error with a problem, and pages with a page."""
    app.add_exception_handler(VlgaError, _vlga_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _failure)


def _vlga_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, VlgaError)
    return problem_of(error)


def _invalid(_request: Request, error: Exception) -> Response:
    """Say of each mistake where it is; the first is the detail."""
    assert isinstance(error, RequestValidationError)
    found = []
    for one in error.errors():
        where, *path = map(str, one["loc"])
        rule = str(one["msg"]).removeprefix("Input should be ")
        detail = f"{'.'.join(path) or where} must be {rule}, but got {shown(one.get('input'))}"
        found.append({"pointer": "/".join(["#", where, *path]), "detail": plain(detail)})
    return problem(422, "request", found[0]["detail"], errors=found)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail, kind = str(error.detail), HTTPStatus(error.status_code).phrase
    if error.status_code == HTTPStatus.NOT_FOUND and detail == kind:
        detail = f"an address must be one of this service, but {shown(request.url.path)} is not"
        detail += "; see /api/v1/openapi.json"
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "others")
        detail = f"the method of this address must be {allowed}, but got {shown(request.method)}"
    if not request.url.path.startswith("/api/") and (page := _page(request, error, detail)):
        return page
    name = kind.lower().replace(" ", "-")
    return problem(error.status_code, name, detail, headers=error.headers)


def _page(request: Request, error: HTTPException, detail: str) -> Response | None:
    """Give a page that says it, if there are pages."""
    found = pages()
    if found is None:
        return None
    page: Response = found.error_page(request, error.status_code, detail)
    return page


def _failure(request: Request, error: Exception) -> Response:
    """Answer for a mistake of the service; its log has the traceback."""
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(500, "failed", "the service must answer, but failed; its log says why")


def _pointer(message: str) -> str | None:
    """Point to the setting that an error is about, if it names one."""
    table = re.match(r"\[([\w.]+)\] ([\w\[\]]+)", message)
    if table:
        return "/".join(["#/body/settings", *table[1].split("."), table[2]])
    alone = re.match(r"(\w+) must ", message)
    return alone and f"#/body/settings/{alone[1]}"
