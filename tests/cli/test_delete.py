import os
import pty
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from db.read.folder import files_folder
from db.store import SqlStore
from tests.support import postgres
from tests.support.command import vlga
from tests.support.records import candidate, evaluation, record
from vlga.execution.artifacts import ArtifactFolder
from vlga.ports.evaluator import Weights
from vlga.ports.lease import this_process


def root(url="sqlite:///vlga.db"):
    """Give the folder of a database's files."""
    with closing(SqlStore(url)) as store:
        return files_folder(store.engine)


def add(name, status="completed", url="sqlite:///vlga.db"):
    """Enter a search with two files; give them."""
    with closing(SqlStore(url)) as store:
        store.create_search(record(name))
        store.add_candidates(name, [candidate(0), candidate(1)])
        folder = ArtifactFolder(root(url), name)
        files = [folder.save(Weights(number, bytes([number])), "weights") for number in (0, 1)]
        store.add_evaluations(name, [evaluation(0), evaluation(1)], files)
        store.update_search(name, status=status)
    return [root(url) / file.path for file in files]


@pytest.fixture
def first():
    return add("first")


def names():
    return [row["name"] for row in vlga("list", "--format", "json").json]


def answer(text):
    """Run the command on a terminal on which this is typed; give exit code and what is shown."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "vlga", "delete", "first"]
    process = subprocess.Popen(command, stdin=theirs, stderr=subprocess.PIPE, text=True)
    os.write(ours, text.encode())
    _, shown = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    return process.returncode, shown


def test_its_rows_its_files_and_its_folder_go(first):
    """And nothing of another search."""
    others = add("second")
    told = vlga("delete", "first", "--yes")

    assert (told.code, told.out, told.err) == (0, "", "deleted first and 2 files\n")
    assert names() == ["second"]
    assert [*root().iterdir()] == [root() / "second"]
    assert all(file.exists() for file in others)
    assert vlga("db", "check").code == 0


def test_a_file_that_is_gone_already_is_no_failure(first):
    """It was to go."""
    first[0].unlink()
    told = vlga("delete", "first", "--yes")

    assert told.code == 0
    assert told.err == f"deleted first and 1 file; 1 other not in {str(first[0].parent)!r}\n"
    assert not first[1].exists()


def test_the_last_one_s_folder_goes_too(first):
    """Nothing is left beside the database."""
    assert vlga("delete", "first", "--yes").code == 0
    assert not Path("vlga.db-files").exists()


class TestOtherDatabases:
    """Databases used from one folder share no file, though their searches are named alike."""

    @pytest.fixture(params=["sqlite:///try.db", pytest.param("", marks=pytest.mark.postgres)])
    def other(self, request):
        return request.param or postgres.empty_database()

    def test_of_one_folder_keep_their_files(self, first, other):
        """What is deleted in one of them is none of the others' files, nor one that they lack."""
        theirs = add("first", url=other)
        told = vlga("delete", "first", "--yes", "--db", other)

        assert (told.code, told.err) == (0, "deleted first and 2 files\n")
        assert [file.exists() for file in (*first, *theirs)] == [True, True, False, False]
        assert vlga("db", "check").code == vlga("db", "check", "--db", other).code == 0

    def test_in_the_place_of_a_former_one_keep_its_files(self, first):
        """A database that is put aside finds them when it is back."""
        Path("vlga.db").rename("old.db")
        add("first")
        assert vlga("delete", "first", "--yes").code == 0
        assert all(file.exists() for file in first)

        Path("old.db").replace("vlga.db")
        assert vlga("db", "check").code == 0

    def test_that_are_copies_have_no_files(self, first):
        """One finding says where they should be; deleting there leaves those of the original."""
        with closing(sqlite3.connect("vlga.db")) as source, closing(sqlite3.connect("c.db")) as to:
            source.backup(to)
        checked = vlga("db", "check", "--db", "sqlite:///c.db", "--format", "json")
        told = vlga("delete", "first", "--yes", "--db", "sqlite:///c.db")

        assert len(checked.json) == 1
        assert "files of weights, 2 of them, should be in this folder" in checked.json[0]["what"]
        assert told.code == 0
        assert told.err.startswith("deleted first and 0 files; 2 others not in ")
        assert all(file.exists() for file in first)


def test_other_files_in_its_folder_stay(first):
    """Only what the search named is its own."""
    notes = first[0].parent / "notes.txt"
    notes.write_text("mine")

    assert vlga("delete", "first", "--yes").code == 0
    assert [*notes.parent.iterdir()] == [notes]


def test_a_file_that_cannot_be_deleted_is_named(first):
    """Exit code 1; the rows are gone, the rest of the files too."""
    first[0].unlink()
    first[0].mkdir()
    told = vlga("delete", "first", "--yes")

    assert told.code == 1
    said, error = told.err.splitlines()
    assert said == "deleted first and 1 file"
    assert error.startswith(f"vlga: {str(first[0])!r} must be deleted by hand, but: ")
    assert names() == []
    assert not first[1].exists()


@pytest.mark.parametrize(
    ("typed", "code", "is_left"), [("y\n", 0, False), ("n\n", 1, True), ("\n", 1, True)]
)
def test_on_a_terminal_it_asks(first, typed, code, is_left):
    """Only a yes is one."""
    ended, shown = answer(typed)

    assert ended == code
    assert "delete first with 2 evaluations and its files? [y/N]" in shown
    assert ("nothing was deleted" in shown) == is_left
    assert names() == (["first"] if is_left else [])
    assert first[0].exists() == is_left


def test_without_a_terminal_it_needs_a_yes(first, monkeypatch):
    """One line, exit code 2, nothing deleted."""
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        told = vlga("delete", "first")

    assert (told.code, told.out) == (2, "")
    assert told.err == (
        "vlga: deleting 'first' must be confirmed, but there is no terminal to ask on; add --yes\n"
    )
    assert names() == ["first"]
    assert first[0].exists()


def test_a_running_search_is_refused():
    """Whatever was confirmed."""
    (file, _) = add("first", status="running")
    with closing(SqlStore("sqlite:///vlga.db")) as store:
        store.acquire("first", this_process(), seconds=60)
    told = vlga("delete", "first", "--yes")

    assert (told.code, told.err.count("\n")) == (2, 1)
    assert "'first' is, by process" in told.err
    assert "vlga stop first" in told.err
    assert names() == ["first"]
    assert file.exists()


def test_an_unknown_search_is_one_line(first):
    """With the nearest name."""
    told = vlga("delete", "frist", "--yes")

    assert told.code == 2
    assert "did you mean 'first'?" in told.err


class TestOrphans:
    def test_a_file_that_no_search_names_is_found(self, first):
        """By `vlga db check`, which deletes nothing."""
        orphan = root() / "gone" / "weights-0-abc.pt"
        orphan.parent.mkdir()
        orphan.write_bytes(b"weights")
        told = vlga("db", "check", "--format", "json")

        assert told.code == 1
        assert told.json == [
            {"where": str(orphan), "what": "no search of this database names this file"}
        ]
        assert orphan.exists()

    def test_a_running_search_s_files_are_none(self):
        """It writes a file before it names it."""
        add("first", status="running")
        (root() / "first" / "weights-2-abc.partial").write_bytes(b"wei")

        assert vlga("db", "check").code == 0
