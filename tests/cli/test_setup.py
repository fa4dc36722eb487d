import csv
import io
import re
import sqlite3
import tomllib
from pathlib import Path

import pytest

from db.store import SqlStore
from tests.cli.command import SMALL, vlga
from tests.records import candidate, record
from vlga.config.load import load_config, preset_names
from vlga.config.settings import SearchConfig
from vlga.ports.evaluator import Weights
from vlga.search.artifacts import ArtifactFolder


class TestConfig:
    def test_the_example_is_a_configuration_for_search(self, home):
        """Saved as it is, it is what `vlga search` reads."""
        (home / "mine.toml").write_text(vlga("config", "--example").out)
        told = vlga("search", "mine.toml", *SMALL)

        assert load_config(file=home / "mine.toml") == load_config()
        assert told.code == 0, told.err

    @pytest.mark.parametrize("preset", preset_names())
    def test_the_example_may_be_of_any_preset(self, preset):
        """The values shown are the preset's."""
        shown = tomllib.loads(vlga("config", "--example", "--preset", preset).out)

        assert shown["population"]["size"] == load_config(preset=preset).population.size

    def test_the_schema_is_json_schema(self):
        """For editors and the service."""
        schema = vlga("config", "--schema").json

        assert set(schema["properties"]) == set(SearchConfig.model_fields)

    @pytest.mark.parametrize("arguments", [(), ("--example", "--schema")])
    def test_one_of_both_must_be_asked_for(self, arguments):
        """There is no third thing to print."""
        told = vlga("config", *arguments)

        assert told.code == 2
        assert told.err == "vlga: give either --example or --schema; see vlga config --help\n"


class TestData:
    def test_known_data_sets_are_listed(self):
        """What is built in, and what is not here; how to bring one's own is said aside."""
        table = vlga("data", "list")
        rows = vlga("data", "list", "--format", "json").json
        text = vlga("data", "list", "--format", "csv").out

        assert [line.split()[0] for line in table.out.splitlines()[2:]] == [
            "digits", "mnist", "fashion-mnist", "cifar10", "cifar100", "svhn",
        ]  # fmt: skip
        assert "or your own: --data images.npz (x_train y_train [x_test y_test])" in table.err
        assert rows[0] == {
            "name": "digits", "shape": "1x8x8", "classes": 10, "train": 1797, "test": 0,
            "found": "built in",
        }  # fmt: skip
        assert [row["name"] for row in csv.DictReader(io.StringIO(text))] == [
            row["name"] for row in rows
        ]

    def test_files_are_looked_for_where_one_says(self, home):
        """An empty folder has none of the published ones."""
        rows = vlga("data", "list", "--data-dir", str(home), "--format", "json").json

        assert {row["found"] for row in rows} == {"built in", None}


class TestDb:
    @pytest.fixture
    def artifact(self):
        """A database whose only file is this."""
        store = SqlStore("sqlite:///vlga.db")
        store.create_search(record("first"))
        store.add_candidates("first", [candidate(0)])
        saved = ArtifactFolder(Path("files")).save(Weights(0, b"abc"), "weights")
        store.add_evaluations("first", [], [saved])
        store.close()
        return saved

    def test_check_finds_nothing_wrong(self, artifact):
        """Exit code 0, a word on stderr, for scripts an empty list."""
        told = vlga("db", "check")

        assert (told.code, told.out, told.err) == (0, "", "nothing wrong\n")
        assert vlga("db", "check", "--format", "json").json == []

    def test_check_names_what_is_wrong(self, artifact):
        """Exit code 1; one row a finding: where and what."""
        Path(artifact.path).unlink()
        told, told_json = vlga("db", "check"), vlga("db", "check", "--format", "json")
        what = "the file cannot be read: No such file or directory"

        assert (told.code, told_json.code) == (1, 1)
        assert re.split("  +", told.out.splitlines()[2]) == [artifact.path, what]
        assert told_json.json == [{"where": artifact.path, "what": what}]
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
