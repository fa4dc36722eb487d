from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy import Engine

from db.read.folder import files_folder
from db.schema.service import metadata
from db.store import SqlStore
from db.upkeep.check import check
from db.upkeep.delete import delete_search, require_deletable
from tests.support.records import candidate, evaluation, record
from vlga.errors import ConfigError, SearchNotFound
from vlga.ports.lease import this_process
from vlga.ports.ledger import Artifact


def counts(engine: Engine) -> dict[str, int]:
    """Count the rows of every table."""
    with engine.connect() as connection:
        return {
            name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()
            for name in metadata.tables
        }


def test_all_rows_of_a_search_go(engine: Engine, url: str):
    """And none of another one's."""
    with closing(SqlStore(url)) as store:
        store.create_search(record("second"))
        store.add_candidates("second", [candidate(0), candidate(1)])
        store.add_evaluations("second", [evaluation(0, epochs=3)], [Artifact(1, "w", "/w", "a", 1)])

    delete_search(engine, "digits-1")

    assert counts(engine) == {
        "searches": 2,
        "candidates": 2,
        "evaluations": 1,
        "epochs": 3,
        "mistakes": 0,
        "artifacts": 1,
        "identity": 1,
        "leases": 0,
        "progress": 0,
        "strides": 1,
        # What the service keeps is not the search's.
        **dict.fromkeys(("submissions", "actions", "tokens", "sessions"), 0),
    }
    with pytest.raises(SearchNotFound):
        delete_search(engine, "digits-1")


def test_its_files_are_named_and_left(engine: Engine, url: str):
    """Each once, and not those that another search names too."""
    with closing(SqlStore(url)) as store:
        shared = [Artifact(0, "weights", "shared.pt", "a", 1)]
        twice = [Artifact(number, "weights", "a/twice.pt", "a", 1) for number in (1, 2)]
        store.add_evaluations("digits-1", [], [*shared, *twice])
        store.create_search(record("second"))
        store.add_candidates("second", [candidate(0)])
        store.add_evaluations("second", [], shared)

    files = delete_search(engine, "digits-1")

    folder = files_folder(engine)
    assert files == (folder / "a/twice.pt", folder / "digits-1/4.pt")
    assert files[1].exists()


@pytest.mark.parametrize("path", ["/etc/passwd", "../other/1.pt"])
def test_a_file_elsewhere_is_not_its_own(engine: Engine, url: str, path: str):
    """Whatever a row says."""
    with closing(SqlStore(url)) as store:
        store.add_evaluations("digits-1", [], [Artifact(0, "weights", path, "a", 1)])

    assert [one.name for one in delete_search(engine, "digits-1")] == ["4.pt"]


def test_its_name_is_free_again(engine: Engine, url: str):
    """With nothing left of the former one."""
    delete_search(engine, "digits-1")
    with closing(SqlStore(url)) as store:
        store.create_search(record("digits-1"))

        assert store.candidates("digits-1") == []
    assert check(url) == ()


@pytest.mark.parametrize("call", [require_deletable, delete_search])
def test_a_running_search_is_refused(engine: Engine, url: str, call):
    """Its driver would have nothing to write to; everything stays."""
    with closing(SqlStore(url)) as store:
        assert store.acquire("digits-1", this_process(), seconds=60)
    before = counts(engine)

    with pytest.raises(
        ConfigError, match=r"'digits-1' is, by process .*: vlga stop digits-1"
    ) as no:
        call(engine, "digits-1")
    assert no.value.exit_code == 2
    assert counts(engine) == before


def test_a_search_whose_process_is_gone_is_not_running(engine: Engine):
    """Whatever its status says: it was killed and could not change it."""
    with engine.connect() as connection:
        statement = "SELECT status FROM searches WHERE name = 'empty'"
        assert connection.exec_driver_sql(statement).scalar_one() == "running"

    delete_search(engine, "empty")


def test_what_may_be_deleted_is_only_looked_at(engine: Engine):
    """`require_deletable` changes nothing."""
    before = counts(engine)
    require_deletable(engine, "digits-1")

    assert counts(engine) == before
    with pytest.raises(SearchNotFound, match="did you mean 'digits-1'"):
        require_deletable(engine, "digits1")
