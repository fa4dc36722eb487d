"""What the routes of the REST interface share: strict JSON, pages, tags, and types of values."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from db.read.keyset import Page
from vlga.errors import SearchNotFound
from vlga.service.context import Service
from vlga.service.errors import Problem, problem

__all__ = [
    "CandidateId",
    "Cursor",
    "Items",
    "Limit",
    "Name",
    "Rest",
    "RowId",
    "Settings",
    "Text",
    "Using",
    "Who",
    "as_page",
    "resource",
    "responses",
    "tagged",
]

_JSON = "application/json"
_NO_CONTROLS = r"^[^\x00-\x1f\x7f-\x9f]*$"
#: As the search's names in the database are.
NAME_PATTERN = r"^\w[\w.\-]*$"

Name = Annotated[str, Path(max_length=180, pattern=NAME_PATTERN, description="of the search")]
CandidateId = Annotated[int, Path(ge=0, lt=2**63, description="of the candidate, from 0")]
RowId = Annotated[int, Query(ge=0, lt=2**63)]
Limit = Annotated[int, Query(ge=1, le=1000, description="most items")]
Text = Annotated[str | None, Query(max_length=200, pattern=_NO_CONTROLS)]
Cursor = Annotated[
    str | None, Query(max_length=500, pattern=_NO_CONTROLS, description="`next` of a page")
]
Settings = Annotated[
    dict[str, Any],
    Field(
        description="dotted keys to values, as for `--set`, or a tree; see /api/v1/settings-schema"
    ),
]


class Items(BaseModel):
    """A page of a list.

    Attributes:
        items: its rows.
        next: what leads to the next page, or null at the end.
    """

    model_config = ConfigDict(extra="forbid")

    items: list[dict[str, Any]]
    next: str | None


class _Request(Request):
    """A request whose JSON is strict: no NaN, no infinity, no half of a surrogate pair."""

    async def json(self) -> Any:
        """Read the body. Raises `json.JSONDecodeError`."""
        body = await self.body()
        try:
            value = json.loads(body, parse_constant=_refuse, parse_float=_finite)
            json.dumps(value, ensure_ascii=False).encode()
        except json.JSONDecodeError:
            raise
        except (ValueError, RecursionError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise json.JSONDecodeError(reason, "", 0) from None
        return value


class Rest(APIRoute):
    """A route with strict JSON, whose answers to GET say when nothing has changed (304)."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """Give what answers a request."""
        answer = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                response: Response = await answer(_Request(request.scope, request.receive))
            except SearchNotFound:
                name = request.path_params.get("name", "")
                await run_in_threadpool(service_of(request).queue.find, name)
                return problem(
                    409,
                    "not-begun",
                    f"a search must have begun to have this, but {name!r} waits; try again later",
                )
            if request.method == "GET" and response.headers.get("content-type") == _JSON:
                return tagged(request, response)
            return response

        return handled


def service_of(request: Request) -> Service:
    """Give the service that a request asks."""
    service: Service = request.app.state.service
    return service


def who_asks(request: Request) -> str:
    """Give the name of the token that a request came with."""
    name: str = request.state.token.name
    return name


Using = Annotated[Service, Depends(service_of)]
Who = Annotated[str, Depends(who_asks)]


def as_page(request: Request, response: Response, page: Page, **where: Any) -> Items:
    """Give a page, whose header ``Link`` leads on.

    Args:
        request: as it came.
        response: gets the header.
        page: to give.
        where: what the query of the next page has, in place of the same of this one's.
    """
    if page.next is not None:
        query: Mapping[str, Any] = {**request.query_params, **(where or {"cursor": page.next})}
        path = request.url.path
        response.headers["Link"] = f'<{path}?{urlencode(query)}>; rel="next"'
    return Items(items=page.items, next=page.next)


def tagged(request: Request, response: Response) -> Response:
    """Give an answer with its tag, or 304 to who has it already."""
    tag = f'W/"{sha256(bytes(response.body)).hexdigest()[:20]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    known = request.headers.get("if-none-match", "")
    if response.status_code == 200 and tag in [one.strip() for one in known.split(",")]:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response


def resource(*statuses: int) -> APIRouter:
    """Give the router of a resource, whose operations may answer with these problems too."""
    may_answer = responses(401, 421, 422, 503, *statuses)
    return APIRouter(prefix="/api/v1", route_class=Rest, responses=may_answer)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the problems that an operation may answer with."""
    content = {"application/problem+json": {"schema": Problem.model_json_schema()}}
    return {
        status: {"description": "a problem (RFC 9457)", "content": content} for status in statuses
    }


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number
