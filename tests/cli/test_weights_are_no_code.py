"""A file of weights that would run code when it is unpickled: nothing of it is ever run."""

from __future__ import annotations

import hashlib
import pickle
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from db.read.folder import files_folder
from db.store import SqlStore
from tests.support.command import SMALL, vlga
from tests.support.records import candidate, evaluation, record
from tests.support.trainings import network
from vlga.execution.artifacts import ArtifactFolder
from vlga.ports.evaluator import Weights
from workers.networks.weights import pack_weights

URL = "sqlite:///vlga.db"
USES = (("predict", "first", "image.png"), ("export", "first", "--to", "out"))


class Bomb:
    """Makes a file when it is unpickled."""

    def __reduce__(self):
        return Path("exploded").touch, ()


BOMB = pickle.dumps({"blocks.0.a.conv.weight": Bomb()})


def plant(data: bytes, *, in_row: bool) -> None:
    """Put bytes in the place of every file of weights, and, if told, into the rows too."""
    digest = hashlib.sha256(data).hexdigest()
    with closing(SqlStore(URL, create=False)) as store:
        folder = files_folder(store.engine)
        files = store.artifacts("first")
    assert files
    for file in files:
        (folder / file.path).write_bytes(data)
    if in_row:
        with closing(sqlite3.connect("vlga.db")) as connection, connection:
            connection.execute("UPDATE artifacts SET sha256 = ?", (digest,))


@pytest.fixture
def trained(home):
    """A search in the database whose winner has real weights, without what normalizes images."""
    (home / "image.png").touch()
    with closing(SqlStore(URL)) as store:
        store.create_search(record("first"))
        store.add_candidates("first", [candidate(0)])
        store.add_evaluations("first", [evaluation(0)], best_candidate_id=0)
        artifacts = ArtifactFolder(files_folder(store.engine), "first")
        file = artifacts.save(Weights(0, pack_weights(network())), "final_weights")
        store.add_evaluations("first", [evaluation(0)], [file], is_final=True)


def refused(*words: str) -> str:
    """Give the one line of a command that refuses weights; it has made no folder."""
    told = vlga(*words)
    assert (told.code, told.err.count("\n")) == (2, 1), told.err
    assert not Path("exploded").exists()
    assert not Path("out").exists()
    return told.err


@pytest.mark.parametrize("words", USES, ids=lambda words: words[0])
def test_a_file_that_somebody_exchanged_is_refused(trained, words):
    """By its checksum."""
    plant(BOMB, in_row=False)

    assert "were changed since the search wrote them" in refused(*words)


@pytest.mark.parametrize("words", USES, ids=lambda words: words[0])
def test_a_row_that_points_to_one_does_not_help_it(trained, words):
    """Only tensors are read, whatever the row says."""
    plant(BOMB, in_row=True)

    assert "they are not tensors alone, and nothing of them was run" in refused(*words)


@pytest.mark.parametrize("words", USES, ids=lambda words: words[0])
def test_weights_without_what_normalizes_images_are_refused(trained, words):
    """As those of searches of long ago are."""
    assert "they do not say by what images are normalized" in refused(*words)


def test_a_resumed_search_inherits_none(home, interrupt):
    """What would inherit it, and the winner's longer training, cannot be built: one line each."""
    interrupt(2)
    phases = ("--set", "budget.phases=2", "--set", "population.stop_margin=1.0")
    assert vlga("search", *SMALL, *phases, "--name", "first").code == 130
    plant(BOMB, in_row=True)
    told = vlga("resume", "first")

    assert told.code == 0, told.err
    assert "its longer training failed (build): UnreadableWeightsError: they are not" in told.out
    assert vlga("show", "first", "--format", "json").json["failures"] == {"build": 2}
    assert not Path("exploded").exists()
    assert "Traceback" not in told.err
