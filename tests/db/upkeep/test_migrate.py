from __future__ import annotations

import re
import shutil

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from db.connection.engine import build_engine, open_engine, reading
from db.read.mistakes import has_mistakes
from db.schema import revision
from db.schema.service import metadata
from db.schema.tables import HEAD, REVISIONS
from db.store import SqlStore
from db.upkeep import migrate
from tests.support.records import candidate, evaluation, record
from vlga.errors import SchemaVersionError, StoreError

#: Everything that Postgres knows of its schema, in words: columns, constraints, indexes, views.
POSTGRES_SCHEMA = """
SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' '
       || coalesce(column_default, '') || ' '
       || row_number() OVER (PARTITION BY table_name ORDER BY ordinal_position)
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL
SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT viewname || ' ' || definition FROM pg_views WHERE schemaname = 'public'
"""

#: A revision that follows `HEAD`, as a next version would bring it.
ADD_A_COLUMN = f"""
import sqlalchemy as sa
from alembic import op

revision = "9000"
down_revision = "{HEAD}"

def upgrade():
    op.add_column("searches", sa.Column("more", sa.Text(), nullable=True))
"""


@pytest.fixture
def next_version(tmp_path, monkeypatch):
    """Make this version the next one, which has one more revision: the module given."""

    def become(source: str) -> None:
        migrations = tmp_path / "migrations"
        shutil.copytree(migrate.MIGRATIONS, migrations)
        (migrations / "versions" / "9000_next.py").write_text(source)
        monkeypatch.setattr(migrate, "MIGRATIONS", migrations)
        for module in (migrate, revision):
            monkeypatch.setattr(module, "HEAD", "9000")
            monkeypatch.setattr(module, "REVISIONS", (*REVISIONS, "9000"))

    return become


def schema_of(url: str) -> list[str]:
    """Give everything that a database knows of its schema, as sorted lines."""
    engine = build_engine(url)
    with reading(engine) as connection:
        if engine.dialect.name == "postgresql":
            lines = list(connection.scalars(sa.text(POSTGRES_SCHEMA)))
        else:
            tables = connection.exec_driver_sql("SELECT sql FROM sqlite_master").scalars()
            # The clauses of a table come in no fixed order, an added column on another's line.
            lines = [
                clause.strip(" ,\t")
                for sql in tables
                if sql
                for line in sql.splitlines()
                for clause in re.split(r", (?=\w+ [A-Z]+)", line)
            ]
    engine.dispose()
    return sorted(lines)


def add_a_table_and_fail(connection: sa.Connection) -> None:
    """Do what a migration with a mistake does."""
    connection.exec_driver_sql("CREATE TABLE more (id INTEGER)")
    connection.exec_driver_sql("DROP TABLE absent")


def make_empty(url: str) -> None:
    """Leave an SQLite file without tables; a Postgres database is there already."""
    engine = build_engine(url)
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE passing (id INTEGER)")
        connection.exec_driver_sql("DROP TABLE passing")
        connection.commit()
    engine.dispose()


def test_a_new_database_is_what_the_migrations_make(url):
    """Making a database at once and migrating an empty one give the same schema."""
    open_engine(url, create=True).dispose()
    made = schema_of(url)
    _drop_everything(url)
    assert schema_of(url) == []

    said = migrate.upgrade(url)

    assert said.endswith(f"now has schema '{HEAD}'; it was empty")
    assert schema_of(url) == made
    assert len(made) > 50
    assert migrate.current(url) == HEAD


def test_the_tables_are_what_alembic_expects(url):
    """Alembic finds nothing to migrate in a new database."""
    engine = open_engine(url, create=True)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_every_revision_is_known():
    """`REVISIONS` lists the modules of versions/ in their order."""
    config = Config()
    config.set_main_option("script_location", str(migrate.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)

    assert [one.revision for one in scripts.walk_revisions()] == [*reversed(REVISIONS)]
    assert scripts.get_current_head() == HEAD


def test_a_migrated_database_can_be_used(url):
    """A store works in a database that migrations made, and a second upgrade does nothing."""
    make_empty(url)
    migrate.upgrade(url)
    store = SqlStore(url, create=False)
    store.create_search(record("first"))
    store.add_candidates("first", [candidate(0)])
    store.add_evaluations("first", [evaluation(0)])
    store.close()

    assert migrate.upgrade(url).endswith(f"has schema '{HEAD}' already")
    store = SqlStore(url)
    assert len(store.evaluations("first")) == 1
    store.close()


def filled(url):
    """Make a database with an outcome of a search; give what it has recorded."""
    store = SqlStore(url)
    store.create_search(record("first"))
    store.add_candidates("first", [candidate(0)])
    store.add_evaluations("first", [evaluation(0)])
    recorded = store.evaluations("first")
    store.close()
    return recorded


def test_a_database_of_an_older_schema_keeps_its_rows(url, next_version):
    """It is refused with the command that helps, which makes of it what the next version reads."""
    recorded = filled(url)
    old = schema_of(url)
    next_version(ADD_A_COLUMN)

    with pytest.raises(SchemaVersionError, match=f"schema '9000' .* has '{HEAD}'; run vlga db up"):
        SqlStore(url)
    said = migrate.upgrade(url)

    assert said.endswith(f"now has schema '9000'; it had '{HEAD}'")
    assert migrate.current(url) == "9000"
    assert any("more" in line for line in {*schema_of(url)} - {*old})
    store = SqlStore(url)
    assert store.evaluations("first") == recorded
    store.close()


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(url, next_version):
    """What the revision did before its mistake is undone, and the database is of its version."""
    open_engine(url, create=True).dispose()
    old = schema_of(url)
    next_version(ADD_A_COLUMN + "    op.drop_table('absent')\n")

    with pytest.raises(StoreError, match="must do what is asked"):
        migrate.upgrade(url)
    assert migrate.current(url) == HEAD
    assert schema_of(url) == old


def test_a_newer_database_is_not_upgraded(url):
    """A database of an unknown version is refused and left as it is."""
    engine = open_engine(url, create=True)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()

    with pytest.raises(SchemaVersionError, match="has '9999'; install a newer vlga"):
        migrate.upgrade(url)
    assert migrate.current(url) == "9999"


def test_there_must_be_something_to_upgrade(tmp_path):
    """An upgrade makes no database where there is none."""
    for call in (migrate.upgrade, migrate.current):
        with pytest.raises(StoreError, match="no database at"):
            call(f"sqlite:///{tmp_path}/vlga.db")
    assert list(tmp_path.iterdir()) == []


def test_from_0002_outcomes_are_kept_with_room_for_more(url):
    """For their latency, which the views show, and for what networks get wrong."""
    recorded = filled(url)
    engine = build_engine(url)
    with engine.begin() as connection:
        for view in ("population", "failures"):
            connection.exec_driver_sql(f"DROP VIEW {view}")
        connection.exec_driver_sql("ALTER TABLE evaluations DROP COLUMN latency_seconds")
        connection.exec_driver_sql("DROP TABLE mistakes")
        for view in ("population", "failures"):
            connection.exec_driver_sql(f"CREATE VIEW {view} AS SELECT id FROM evaluations")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0002'")

    migrate.upgrade(url)

    with engine.begin() as connection:
        rows = connection.exec_driver_sql("SELECT search, latency_seconds FROM population").all()
    engine.dispose()
    assert [*map(tuple, rows)] == [("first", None)]
    store = SqlStore(url)
    assert store.evaluations("first") == recorded
    assert not has_mistakes(store.engine, "first")
    store.close()


class TestMigrating:
    def test_rebuilding_a_table_keeps_the_rows_that_refer_to_it(self, url):
        """SQLite rebuilds a table to change it; no evaluation is lost by cascade."""
        store = SqlStore(url)
        store.create_search(record("first"))
        store.add_candidates("first", [candidate(0)])
        store.add_evaluations("first", [evaluation(0)])
        store.close()

        with migrate.migrating(url) as connection:
            operations = Operations(MigrationContext.configure(connection))
            with operations.batch_alter_table("searches", recreate="auto") as batch:
                batch.alter_column("seconds", nullable=True)

        store = SqlStore(url)
        assert len(store.evaluations("first")) == 1
        store.close()

    def test_a_failing_migration_leaves_nothing(self, url):
        """What happened before a failure is undone, new tables included."""
        open_engine(url, create=True).dispose()
        before = schema_of(url)

        with (
            pytest.raises(StoreError, match="must do what is asked"),
            migrate.migrating(url) as connection,
        ):
            add_a_table_and_fail(connection)
        assert schema_of(url) == before

    def test_a_migration_that_breaks_a_reference_is_undone(self, tmp_path):
        """SQLite's foreign keys, not enforced meanwhile, are checked at the end."""
        url = f"sqlite:///{tmp_path}/vlga.db"
        store = SqlStore(url)
        store.create_search(record("first"))
        store.add_candidates("first", [candidate(0)])
        store.close()

        with (
            pytest.raises(StoreError, match="one of table 'candidates' does not; nothing was"),
            migrate.migrating(url) as connection,
        ):
            connection.exec_driver_sql("DELETE FROM searches")
        store = SqlStore(url)
        assert store.find_search("first") == record("first")
        store.close()


def _drop_everything(url: str) -> None:
    engine = build_engine(url, foreign_keys=False)
    everything = sa.MetaData()
    with engine.begin() as connection:
        for view in sa.inspect(connection).get_view_names():
            connection.exec_driver_sql(f"DROP VIEW {view}")
        everything.reflect(connection)
        everything.drop_all(connection)
    engine.dispose()
