"""The files of a search, and its report."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from sqlalchemy import select

from db.connection.engine import reading
from db.read.folder import files_folder
from db.read.names import find_search_id
from db.read.searches import show_search
from db.schema.tables import artifacts
from vlga.errors import NoIndividual
from vlga.service.api.rest import CandidateId, Items, Name, Using, resource, responses
from vlga.service.aside import run_aside
from vlga.service.context import Service
from vlga.service.errors import problem

__all__ = ["router"]

router = resource(404, 409)

_SUFFIXES = ("weights", "final_weights")


@router.get("/searches/{name}/files")
def list_files(service: Using, name: Name) -> Items:
    """Give the files of a search, with links."""
    rows = [
        {
            **{key: one[key] for key in ("candidate_id", "kind", "sha256", "n_bytes")},
            "href": f"/api/v1/searches/{name}/files/{one['candidate_id']}/{one['kind']}",
        }
        for one in _files(service, name)
    ]
    return Items(items=rows, next=None)


@router.get(
    "/searches/{name}/files/{candidate_id}/{kind}",
    response_class=FileResponse,
    responses={**responses(410), 206: {}, 304: {}, 416: {}},
)
def download(
    request: Request,
    service: Using,
    name: Name,
    candidate_id: CandidateId,
    kind: Literal["weights", "final_weights"],
) -> Response:
    """Give a file, or the range of it that is asked for."""
    for one in _files(service, name):
        if (one["candidate_id"], one["kind"]) == (candidate_id, kind):
            return _file(request, service, name, one)
    raise NoIndividual(
        f"a file must be one of the search, but {name!r} has no {kind} of #{candidate_id}"
    )


@router.get(
    "/searches/{name}/report",
    responses={200: {"content": {"text/html": {}, "application/json": {}}}},
)
def report(
    service: Using,
    name: Name,
    form: Annotated[Literal["html", "json"], Query(alias="format")] = "json",
) -> Response:
    """Give what a search found, as `vlga report` does."""
    show_search(service.engine, name)
    url = service.engine.url.render_as_string(hide_password=False)
    with tempfile.TemporaryDirectory(prefix="vlga-report-") as folder:
        page = Path(folder) / "report.html"
        extra = ["--html", str(page)] if form == "html" else []
        arguments = ["report", name, "--format", "json", *extra]
        ran = run_aside("a report", "vlga", arguments, environment={"VLGA_DB": url})
        if ran.returncode:
            raise NoIndividual(ran.stderr.strip().splitlines()[-1].removeprefix("vlga: "))
        if form == "html":
            return HTMLResponse(page.read_text(encoding="utf-8"))
    return JSONResponse(json.loads(ran.stdout))


def _files(service: Service, name: str) -> list[dict[str, Any]]:
    columns = artifacts.c
    with reading(service.engine) as connection:
        mine = columns.search_id == find_search_id(connection, name)
        order = columns.candidate_id, columns.kind
        rows = connection.execute(select(artifacts).where(mine).order_by(*order)).mappings()
        return [{**row} for row in rows if row["kind"] in _SUFFIXES]


def _file(request: Request, service: Service, name: str, one: dict[str, Any]) -> Response:
    """Give a file that the ledger names, if it lies in the folder of the database's files."""
    folder = files_folder(service.engine).resolve()
    path = (folder / one["path"]).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        return problem(
            410,
            "file-gone",
            f"the file must still be there, but {one['kind']} of "
            f"#{one['candidate_id']} of {name!r} is not",
        )
    tag = f'"{one["sha256"]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in [known.strip() for known in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    file_name = f"{name}-{one['candidate_id']}{path.suffix}"
    return FileResponse(
        path, media_type="application/octet-stream", filename=file_name, headers=headers
    )
