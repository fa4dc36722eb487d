"""Pages and their parts: Jinja2 templates filled in, in the words and numbers of the terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlencode

from fastapi import HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from markupsafe import Markup

from vlga import __version__
from vlga.errors import VlgaError
from vlga.report.formats import count_text, number_of, ordinal, pace_text, seconds_text
from vlga.service.errors import problem_of
from vlga.service.pages.assets import asset_url
from vlga.service.pages.shared import Shared
from vlga.service.pages.words import ACTIONS, actions_for, progress_share, state_of

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = [
    "Form",
    "Page",
    "address",
    "can_write",
    "error_page",
    "field_of",
    "read_form",
    "respond",
    "respond_json",
]

#: The fields of a form by name, each with the values it was given.
Form = Mapping[str, Sequence[str]]

_TITLES = {
    403: "Not allowed",
    404: "Not found",
    409: "Not possible now",
    422: "Not possible",
    503: "The database does not answer",
}


class Page(APIRoute):
    """A route of pages.

    An error of the project is answered with a page that shows its one line. Who asks for the same
    at the same time gets the same answer, and who has it already is told so (304), so that asking
    again costs next to nothing.
    """

    def get_route_handler(self) -> Callable[[Request], Any]:
        """Give what answers a request."""
        answer = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                if request.method != "GET":
                    response: Response = await answer(request)
                    return response
                shared = _shared(request)
                return _copy_for(request, await shared.get(_key(request), lambda: answer(request)))
            except VlgaError as error:
                return error_page(request, problem_of(error).status_code, str(error))

        return handled


def respond(
    request: Request,
    page: str,
    *,
    parts: Mapping[str, Callable[[], Mapping[str, Any]]] | None = None,
    status: int = 200,
    **context: Any,
) -> Response:
    """Fill in a page, or those of its parts that the query asks for by ``part=NAME``.

    Args:
        request: to answer.
        page: the template ``PAGE.html``; each part is ``PAGE/PART.html``.
        parts: by name, what gives the context of a part; read only if the part is wanted.
        status: of the answer.
        context: what all of it needs.
    """
    parts = parts or {}
    wanted = [name for name in dict.fromkeys(request.query_params.getlist("part")) if name in parts]

    def render(name: str, more: Mapping[str, Any]) -> str:
        return str(_template(f"{name}.html").render(**_common(request), **context, **more))

    if "part" in request.query_params:
        body = "\n".join(render(f"{page}/{name}", parts[name]()) for name in wanted)
    else:
        everything: dict[str, Any] = {}
        for give in parts.values():
            everything |= give()
        body = render(page, everything)
    return HTMLResponse(body, status)


def respond_json(value: Any) -> Response:
    """Give a value as JSON."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return Response(text, media_type="application/json")


def error_page(request: Request, status: int, detail: str) -> HTMLResponse:
    """Give the page of an error.

    Args:
        request: to answer.
        status: of HTTP; 503 tries again by itself.
        detail: where, the rule, the value, the way out.
    """
    title = _TITLES.get(status) or HTTPStatus(status).phrase
    context = {**_common(request), "title": title, "detail": detail, "status": status}
    response = HTMLResponse(_template("error.html").render(**context), status)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = "5"
    return response


def can_write(request: Request) -> bool:
    """Say whether whoever asks may change something."""
    token = getattr(request.state, "token", None)
    return token is not None and token.scope == "write"


async def read_form(request: Request) -> Form:
    """Read what a form sent. Refuses what is no form, and fields of more than one line's bytes."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(415, f"a form must be application/x-www-form-urlencoded, not {kind!r}")
    body = await request.body()
    try:
        return parse_qs(body.decode(), keep_blank_values=True, max_num_fields=1000)
    except ValueError as error:
        raise HTTPException(400, f"a form must be readable, but this one is not: {error}") from None


def field_of(message: str) -> str | None:
    """Give the setting that an error is about, by its dotted key, or None if it names none."""
    table = re.match(r"\[([\w.]+)\] (\w+)", message)
    if table:
        return f"{table[1]}.{table[2]}"
    alone = re.match(r"(\w+) must ", message)
    return alone and alone[1]


def address(path: str, **query: Any) -> str:
    """Give an address with a query, of whose values those that are None are left out."""
    given = {key: value for key, value in query.items() if value not in (None, "", [])}
    return path + ("?" + urlencode(given, doseq=True) if given else "")


def _shared(request: Request) -> Shared[Response]:
    state = request.app.state
    if not hasattr(state, "shared_pages"):
        state.shared_pages = Shared[Response]()
    shared: Shared[Response] = state.shared_pages
    return shared


def _key(request: Request) -> tuple[Any, ...]:
    """Give all that an answer depends on but the database; parts name nobody."""
    who = None if "part" in request.query_params else _me(request)
    return request.url.path, request.url.query, can_write(request), who, str(request.base_url)


def _copy_for(request: Request, response: Response) -> Response:
    """Give one of those who share an answer their own, or say that they have it already."""
    body = bytes(response.body)
    tag = f'W/"{sha256(body).hexdigest()[:20]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if response.status_code == HTTPStatus.OK and request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    copy = Response(body, response.status_code, headers)
    copy.raw_headers += [
        one for one in response.raw_headers if one[0] in (b"content-type", b"retry-after")
    ]
    return copy


def _me(request: Request) -> str | None:
    token = getattr(request.state, "token", None)
    return None if token is None else token.name


def _common(request: Request) -> dict[str, Any]:
    """Give what every page shows or needs."""
    return {
        "can_write": can_write(request),
        "me": _me(request),
        "path": request.url.path,
        "query": dict(request.query_params),
    }


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # a service is ready without

    folder = files("vlga.service.pages") / "templates"
    environment = Environment(
        loader=FunctionLoader(lambda name: (folder / name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": count_text,
        "duration": seconds_text,
        "linked": _linked,
        "ordinal": ordinal,
        "moment": lambda text: text[:16].replace("T", " "),
        "pace": pace_text,
        "percent": lambda share: f"{share:.0%}".replace("%", " %"),
        "score": lambda value: "-" if value is None else f"{value:.4f}",
        "shown": lambda value: "-" if value in (None, "") else value,
        "url": lambda text: quote(str(text), safe=""),
        "words": lambda text: str(text).replace("_", " ").replace("+", ", "),
    }
    environment.globals |= {
        "ACTIONS": ACTIONS,
        "actions_for": actions_for,
        "address": address,
        "asset": asset_url,
        "number_of": number_of,
        "share_of": progress_share,
        "state_of": state_of,
        "version": __version__,
    }
    return environment


def _linked(text: str, search: str) -> Markup:
    """Make each #N of a text a link to that network of a search."""
    link = Markup('<a href="/s/{}/{}">#{}</a>')
    parts = re.split(r"#(\d+)", text)
    return Markup("").join(
        link.format(quote(search, safe=""), part, part) if i % 2 else part
        for i, part in enumerate(parts)
    )


def _template(name: str) -> Any:
    return _environment().get_template(name)
