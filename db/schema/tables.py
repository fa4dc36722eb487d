"""The tables of the ledger. What a person filters or sorts on is a column; the rest is JSON.

A change here needs a new revision in migrations/versions/ and its id at the end of `REVISIONS`; a
test holds the two to the same schema on both databases.

A count that can outgrow 32 bits is a `BigInteger`. JSON is kept as text, not as ``jsonb``, which
would round-trip neither the type of a number such as 1e22 nor the order of keys.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    true,
)

__all__ = [
    "HEAD",
    "REVISIONS",
    "UtcDateTime",
    "artifacts",
    "candidates",
    "epochs",
    "evaluations",
    "identity",
    "leases",
    "metadata",
    "searches",
    "suit",
]

#: Ids of the migrations, oldest first. Kept here so that opening a database needs no Alembic.
REVISIONS = ("0001",)
HEAD = REVISIONS[-1]


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware and in UTC in Python, whatever the database keeps."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Bring an aware moment to UTC; SQLite, which knows no zones, gets it without one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError(f"a moment must be aware of its time zone, but got {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the moment in UTC; what SQLite gives is UTC already."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _required(name: str, kind: Any, *arguments: Any, **options: Any) -> Column[Any]:
    return Column(name, kind, *arguments, nullable=False, **options)


searches = Table(
    "searches",
    metadata,
    Column("id", Integer, primary_key=True),
    _required("name", Text, unique=True),
    _required("status", Text),
    _required("strategy", Text),
    _required("seed", BigInteger),
    _required("data_name", Text),
    _required("data_fingerprint", Text),
    _required("input_channels", Integer),
    _required("input_height", Integer),
    _required("input_width", Integer),
    _required("n_classes", Integer),
    _required("classes", JSON),
    _required("n_train", Integer),
    _required("n_validation", Integer),
    _required("n_test", Integer),
    # Which images give the fitness.
    _required("fitness_on", Text),
    _required("config", JSON),
    _required("versions", JSON),
    _required("message", Text),
    # Not a foreign key: candidates refer to searches, and a circle helps nobody.
    Column("best_candidate_id", Integer),
    Column("test_accuracy", Double),
    # What simple methods reach on the same images.
    Column("rivals", JSON(none_as_null=True)),
    _required("seconds", Double),
    # Outcomes so far, final trainings left out. Counted as they are written, in the same
    # transaction: counting a million rows takes 0.2 s, and `vlga list` counts every search.
    _required("n_completed", Integer),
    _required("n_failed", Integer),
    _required("n_reused", Integer),
    _required("created_at", UtcDateTime),
    _required("updated_at", UtcDateTime),
    CheckConstraint("status IN ('running', 'completed', 'interrupted', 'failed')", name="status"),
    CheckConstraint("test_accuracy >= 0 AND test_accuracy <= 1", name="test_accuracy"),
    CheckConstraint("fitness_on IN ('validation', 'test')", name="fitness_on"),
)

candidates = Table(
    "candidates",
    metadata,
    Column(
        "search_id",
        Integer,
        ForeignKey("searches.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("id", Integer, primary_key=True, autoincrement=False),
    _required("genome", JSON),
    _required("fingerprint", Text),
    _required("phase", Integer),
    _required("generation", Integer),
    # Where trainings have several lengths: 0 is the shortest.
    _required("rung", Integer),
    _required("parents", JSON),
    _required("operator", Text),
    Column("weights_from", Integer),
    # Number of convolutions, those of skip connections not counted.
    _required("depth", Integer),
    # Equal networks, within a search and across searches.
    Index("ix_candidates_fingerprint", "fingerprint"),
)

evaluations = Table(
    "evaluations",
    metadata,
    # SQLite numbers rows by itself only where the type is exactly INTEGER.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    _required("search_id", Integer),
    _required("candidate_id", Integer),
    _required("is_final", Boolean),
    _required("reused", Boolean),
    _required("epochs", Integer),
    _required("seed", BigInteger),
    _required("status", Text),
    Column("reason", Text),
    _required("message", Text),
    Column("fitness", Double),
    # Of the same images as the fitness, which ties more often.
    Column("validation_loss", Double),
    _required("n_parameters", BigInteger),
    _required("n_macs", BigInteger),
    _required("train_seconds", Double),
    _required("worker", Text),
    _required("device", Text),
    Column("peak_memory_bytes", BigInteger),
    _required("finished_at", UtcDateTime),
    # Of the same trained network, in studies.
    Column("test_accuracy", Double),
    # Equal for equal trainings of all searches; absent in final trainings.
    Column("training_key", Text),
    # Whether it counts on the search's budget: not where an equal candidate of it was trained.
    Column("on_budget", Boolean, nullable=False, server_default=true()),
    ForeignKeyConstraint(
        ["search_id", "candidate_id"],
        ["candidates.search_id", "candidates.id"],
        ondelete="CASCADE",
    ),
    CheckConstraint("status IN ('completed', 'failed')", name="status"),
    CheckConstraint("fitness >= 0 AND fitness <= 1", name="fitness"),
    CheckConstraint("(status = 'completed') = (fitness IS NOT NULL)", name="fitness_if_completed"),
    CheckConstraint("(status = 'failed') = (reason IS NOT NULL)", name="reason_if_failed"),
)
# The fittest of a search, read in order.
Index(
    "ix_evaluations_fitness",
    evaluations.c.search_id,
    evaluations.c.is_final,
    evaluations.c.fitness.desc(),
    evaluations.c.candidate_id,
)
# A candidate's evaluations, and whether it has a fitter one.
Index(
    "ix_evaluations_candidate",
    evaluations.c.search_id,
    evaluations.c.candidate_id,
    evaluations.c.is_final,
    evaluations.c.fitness,
)
# Whether any search knows the outcome of a training.
Index("ix_evaluations_training_key", evaluations.c.training_key)
# Failures by reason; costs nothing where nothing fails.
_by_reason = Index(
    "ix_evaluations_reason",
    evaluations.c.search_id,
    evaluations.c.is_final,
    evaluations.c.reused,
    evaluations.c.reason,
    sqlite_where=evaluations.c.reason.is_not(None),
)

# Losses and accuracies are absent where they are not finite numbers, as in a diverged training.
epochs = Table(
    "epochs",
    metadata,
    Column(
        "evaluation_id",
        BigInteger().with_variant(Integer, "sqlite"),
        ForeignKey("evaluations.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("train_loss", Double),
    Column("train_accuracy", Double),
    Column("validation_loss", Double),
    Column("validation_accuracy", Double),
    _required("learning_rate", Double),
    _required("seconds", Double),
    _required("amplified_layers", JSON),
    # How steady each layer's gradients were, where it was measured.
    Column("layer_measures", JSON(none_as_null=True)),
    sqlite_with_rowid=False,  # stored in key order: one tree to write instead of two
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("search_id", Integer, primary_key=True, autoincrement=False),
    Column("candidate_id", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    _required("path", Text),
    _required("sha256", Text),
    _required("n_bytes", BigInteger),
    _required("created_at", UtcDateTime),
    ForeignKeyConstraint(
        ["search_id", "candidate_id"],
        ["candidates.search_id", "candidates.id"],
        ondelete="CASCADE",
    ),
)

# One row: eight hexadecimal digits, drawn when the database is made, that tell its files from those
# of others.
identity = Table("identity", metadata, Column("id", Text, primary_key=True))

# Which process runs a search (leases.py). Apart from `searches`, whose rows are long: every write
# of a driver renews its lease.
leases = Table(
    "leases",
    metadata,
    Column(
        "search_id",
        Integer,
        ForeignKey("searches.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    _required("token", Text),
    _required("host", Text),
    _required("process_id", Integer),
    _required("origin", Text),
    _required("since", UtcDateTime),
    # Seconds since 1970 by the database's clock, which alone compares them.
    _required("expires", Double),
    Column("stop", Text),
    CheckConstraint("stop IN ('drain', 'now')", name="stop"),
)


def suit(dialect: str) -> None:
    """Give the tables what only this dialect knows.

    Naming Postgres' options above would import all of it with every command: 30 ms.
    """
    if dialect == "postgresql":
        _by_reason.dialect_kwargs["postgresql_where"] = evaluations.c.reason.is_not(None)
