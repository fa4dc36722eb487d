"""The pages in an app of their own: whoever asks is signed in, by a token that may write or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.testclient import TestClient

from db.service.queue import SqlQueue
from db.store import SqlStore
from tests.support.records import (
    MISTAKES,
    candidate,
    evaluation,
    genome_of_default,
    record,
)
from vlga.config.load import load_config
from vlga.ports.evaluation import FailureReason
from vlga.ports.ledger import Artifact
from vlga.ports.queue import Submission
from vlga.service.pages import routes

#: What a page must show as text, wherever it comes from.
HOSTILE = "<script>alert(1)</script>"


def app_with(store: SqlStore, scope: str) -> FastAPI:
    """Give an app of the pages alone."""
    app = FastAPI()
    service = SimpleNamespace(engine=store.engine, queue=SqlQueue(store.engine), logs=Path())
    app.state.service = service

    @app.middleware("http")
    async def signed_in(request: Request, call_next: Any) -> Response:
        request.state.token = SimpleNamespace(name="anna", scope=scope)
        answer: Response = await call_next(request)
        return answer

    app.routes.extend(routes)
    return app


def fill(store: SqlStore) -> None:
    """Enter `digits-1`, completed, of 12 networks; `empty`; and `waiting`, queued."""
    store.create_search(record("empty"))
    store.create_search(record("digits-1"))
    for number in range(12):
        parents = (number - 2, number - 1) if number > 1 else ()
        made = replace(candidate(number, parents), genome=genome_of_default(1 + number % 3))
        store.add_candidates("digits-1", [made])
        if number == 4:
            failed = evaluation(number, reason=FailureReason.DIVERGED)
            store.add_evaluations("digits-1", [replace(failed, message=HOSTILE)])
        elif number < 11:
            file = Artifact(number, "weights", f"digits-1/{number}.pt", "ab" * 32, 7)
            store.add_evaluations("digits-1", [evaluation(number, 0.5 + number / 32)], [file])
    final = replace(evaluation(10, 0.875), mistakes=MISTAKES)
    found = {"best_candidate_id": 10, "test_accuracy": 0.875, "status": "completed"}
    store.add_evaluations("digits-1", [final], is_final=True, **found, seconds=61.0)
    settings = load_config(settings=("seed=7",)).model_dump(mode="json")
    queue = SqlQueue(store.engine)
    queue.submit(Submission("waiting", settings, note=HOSTILE, created_by="anna"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    """A database with the searches of `fill`."""
    folder: Path = tmp_path_factory.mktemp("pages")
    store = SqlStore(f"sqlite:///{folder}/vlga.db")
    fill(store)
    yield store
    store.engine.dispose()


@pytest.fixture(scope="module")
def client(store: SqlStore) -> Iterator[TestClient]:
    """A browser with a token that may write."""
    with TestClient(app_with(store, "write"), follow_redirects=False) as client:
        yield client


@pytest.fixture(scope="module")
def reader(store: SqlStore) -> Iterator[TestClient]:
    """A browser with a token that may only look."""
    with TestClient(app_with(store, "read"), follow_redirects=False) as client:
        yield client
