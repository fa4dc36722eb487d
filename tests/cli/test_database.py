import re
import sqlite3

import pytest

from db.read.folder import files_folder
from db.store import SqlStore
from tests.support.command import vlga
from tests.support.records import candidate, record
from vlga.execution.artifacts import ArtifactFolder
from vlga.ports.evaluator import Weights


class TestDb:
    @pytest.fixture
    def artifact(self):
        """A database whose only file is this."""
        store = SqlStore("sqlite:///vlga.db")
        store.create_search(record("first"))
        store.add_candidates("first", [candidate(0)])
        saved = ArtifactFolder(files_folder(store.engine), "first").save(
            Weights(0, b"abc"), "weights"
        )
        store.add_evaluations("first", [], [saved])
        file = files_folder(store.engine) / saved.path
        store.close()
        return file

    def test_check_finds_nothing_wrong(self, artifact):
        """Exit code 0, a word on stderr, for scripts an empty list."""
        told = vlga("db", "check")

        assert (told.code, told.out, told.err) == (0, "", "everything is in order\n")
        assert vlga("db", "check", "--format", "json").json == []

    def test_check_names_what_is_wrong(self, artifact):
        """Exit code 1; one row a finding: where and what."""
        artifact.unlink()
        told, told_json = vlga("db", "check"), vlga("db", "check", "--format", "json")
        what = "the file cannot be read: No such file or directory"

        assert (told.code, told_json.code) == (1, 1)
        assert re.split("  +", told.out.splitlines()[2]) == [str(artifact), what]
        assert told_json.json == [{"where": str(artifact), "what": what}]
        assert told.err == "vlga: 1 finding\n"

    def test_upgrade_says_what_it_did(self, artifact):
        """Nothing, to a database of this version."""
        told = vlga("db", "upgrade")

        assert (told.code, told.out) == (0, "")
        assert re.fullmatch("database sqlite:///vlga.db has schema '.*' already\n", told.err)

    def test_upgrade_fills_an_empty_database(self, home):
        """As one made by another program's `touch` or `createdb`."""
        sqlite3.connect(home / "vlga.db").close()
        (home / "vlga.db").touch()
        told = vlga("db", "upgrade")

        assert told.code == 0
        assert told.err.endswith("it was empty\n")
        assert vlga("list").code == 0
