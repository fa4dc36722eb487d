"""Databases of both kinds, empty and with a small search in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from db.connection.engine import open_engine
from db.read.folder import files_folder
from db.store import SqlStore
from tests.support import postgres
from tests.support.records import MISTAKES, candidate, evaluation, record
from vlga.ports.evaluation import FailureReason, Source
from vlga.ports.ledger import Artifact


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that is empty: a file that does not exist yet, or a server's."""
    if request.param == "postgres":
        return postgres.empty_database()
    return f"sqlite:///{tmp_path}/vlga.db"


@pytest.fixture
def engine(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A database with the searches `digits-1` (of six candidates) and `empty`.

    Candidate 0 is fit after a second evaluation only, 1 and 2 are equally fit, 3 failed, 4 is taken
    over from an equal one and has a final training, 5 is not evaluated.
    """
    monkeypatch.chdir(tmp_path)  # where a server's files are
    store = SqlStore(url)
    weights = files_folder(store.engine) / "digits-1" / "4.pt"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"weights")
    store.create_search(record("empty"))
    store.create_search(record("digits-1", seed=3))
    store.add_candidates(
        "digits-1",
        [
            candidate(0),
            candidate(1),
            candidate(2, parents=(0, 1)),
            candidate(3, parents=(0, 2)),
            candidate(4, parents=(2,), n_blocks=2),
            candidate(5, n_blocks=2),
        ],
    )
    store.add_evaluations("digits-1", [evaluation(0, fitness=0.25)])
    store.add_evaluations("digits-1", [evaluation(2, fitness=0.5), evaluation(1, fitness=0.5)])
    failed = evaluation(3, reason=FailureReason.OUT_OF_MEMORY, epochs=1)
    store.add_evaluations("digits-1", [failed, evaluation(0, fitness=0.75, epochs=3)])
    taken = replace(evaluation(4, fitness=0.125, epochs=0), source=Source.EQUAL_CANDIDATE)
    store.add_evaluations("digits-1", [taken])
    artifact = Artifact(
        candidate_id=4,
        kind="final_weights",
        path="digits-1/4.pt",
        sha256=hashlib.sha256(b"weights").hexdigest(),
        n_bytes=7,
    )
    final = replace(evaluation(4, fitness=1.0), mistakes=MISTAKES)
    store.add_evaluations("digits-1", [final], [artifact], is_final=True)
    store.update_search("digits-1", status="completed", seconds=12.5)
    store.close()
    opened = open_engine(url)
    yield opened
    opened.dispose()
