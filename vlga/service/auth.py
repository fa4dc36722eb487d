"""Who asks: a bearer token of a program, or the cookie of a browser that signed in with one.

``?token=`` in an address, as `vlga serve` prints it, signs in and leads on to the clean address.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlencode

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from db.service.access import SESSION_DAYS, Token
from vlga.errors import AccessDenied, StoreError, VlgaError
from vlga.service.context import Options, Service, pages
from vlga.service.errors import problem, problem_of
from vlga.service.guards import PROBES, SAFE_METHODS

__all__ = ["Authentication", "cookie_name", "router"]

router = APIRouter(include_in_schema=False)

#: Told to nobody: what is here is in the package anyway.
_OPEN = (*PROBES, "/login", "/favicon.ico")
_OPEN_FOLDER = "/static/"


class Authentication:
    """Sets `request.state.token`, or refuses the request."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its token, or refuse it."""
        path = scope.get("path", "")
        is_open = path in _OPEN or path.startswith(_OPEN_FOLDER)
        if scope["type"] != "http" or is_open:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        is_page = not path.startswith("/api/")
        answer: Response | None
        if is_page and "token" in request.query_params and scope["method"] == "GET":
            answer = await run_sync(_sign_in_by_address, request, self._service)
        else:
            answer = await run_sync(_check, request, self._service)
        await (self._app if answer is None else answer)(scope, receive, send)


def cookie_name(options: Options) -> str:
    """Give the name of the cookie: cookies ignore ports, so that it has the port."""
    prefix = "__Host-" if options.is_secure else ""
    return f"{prefix}vlga_{options.port}"


@router.post("/login")
async def login(request: Request) -> Response:
    """Sign in with the token of a form, and lead on."""
    body = (await request.body()).decode(errors="replace")
    form = dict(parse_qsl(body, keep_blank_values=True))
    service: Service = request.app.state.service
    try:
        session = await run_sync(service.access.sign_in, form.get("token", "").strip())
    except AccessDenied as error:
        found = pages()
        page: Response = found.login_page(request, str(error), 401) if found else problem_of(error)
        return page
    wanted = form.get("next", "/")
    is_here = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return _signed_in(wanted if is_here else "/", session, service.options)


@router.post("/logout")
async def logout(request: Request) -> Response:
    """End the browser's session."""
    service: Service = request.app.state.service
    name = cookie_name(service.options)
    await run_sync(service.access.sign_out, request.cookies.get(name, ""))
    response = RedirectResponse("/login", 303)
    response.delete_cookie(name, secure=service.options.is_secure, httponly=True, samesite="lax")
    return response


def _check(request: Request, service: Service) -> Response | None:
    """Set the token of a request; give the answer if there is none, or it is not enough."""
    try:
        token = _token(request, service)
    except AccessDenied as error:
        wants_page = not request.url.path.startswith("/api/") and request.method == "GET"
        if wants_page and "authorization" not in request.headers:
            here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/login?next={quote(here, safe='')}", 303)
        return problem_of(error)
    except StoreError as error:
        return problem_of(error)
    is_enough = token.scope == "write" or request.method in SAFE_METHODS
    if not is_enough and request.url.path != "/logout":
        return problem(
            403,
            "read-only",
            f"a token must have the scope write for this, but {token.name!r} has read; "
            "make one with: vlga token create NAME",
        )
    request.state.token = token
    return None


def _token(request: HTTPConnection, service: Service) -> Token:
    """Find the token of a request. Raises `AccessDenied`."""
    header = request.headers.get("authorization")
    if header is not None:
        kind, _, secret = header.partition(" ")
        if kind.lower() != "bearer":
            raise AccessDenied("a request must have the header Authorization: Bearer TOKEN")
        return service.access.token(secret.strip())
    session = request.cookies.get(cookie_name(service.options))
    if session is None:
        raise AccessDenied(
            "a request must have a token, but has none; send it as Authorization: Bearer TOKEN"
        )
    return service.access.session(session)


def _sign_in_by_address(request: Request, service: Service) -> Response:
    """Sign in with the token in an address; whatever comes of it, lead to the clean address."""
    query = parse_qsl(request.url.query, keep_blank_values=True)
    rest = urlencode([(key, value) for key, value in query if key != "token"])
    clean = request.url.path + (f"?{rest}" if rest else "")
    clean = f"/{clean.lstrip('/')}"  # two slashes would be another host
    try:
        session = service.access.sign_in(request.query_params["token"])
    except AccessDenied:
        return RedirectResponse(f"/login?next={quote(clean, safe='')}", 303)
    except VlgaError as error:
        return problem_of(error)
    return _signed_in(clean, session, service.options)


def _signed_in(where: str, session: str, options: Options) -> Response:
    response = RedirectResponse(where, 303)
    response.set_cookie(
        cookie_name(options),
        session,
        max_age=SESSION_DAYS * 86_400,
        path="/",
        secure=options.is_secure,
        httponly=True,
        samesite="lax",
    )
    return response
