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
    "mistakes",
    "required",
    "searches",
    "suit",
]

#: Ids of the migrations, oldest first. Kept here so that opening a database needs no Alembic.
REVISIONS = ("0001", "0002", "0003", "0004")
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


def required(name: str, kind: Any, *arguments: Any, **options: Any) -> Column[Any]:
    """Give a column that is never NULL."""
    return Column(name, kind, *arguments, nullable=False, **options)


def _evaluation_key() -> Column[Any]:
    """Give the key of rows that belong to an evaluation, and go with it."""
    return Column(
        "evaluation_id",
        BigInteger().with_variant(Integer, "sqlite"),
        ForeignKey("evaluations.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )


searches = Table(
    "searches",
    metadata,
    Column("id", Integer, primary_key=True),
    required("name", Text, unique=True),
    required("status", Text),
    required("strategy", Text),
    required("seed", BigInteger),
    required("data_name", Text),
    required("data_fingerprint", Text),
    required("input_channels", Integer),
    required("input_height", Integer),
    required("input_width", Integer),
    required("n_classes", Integer),
    required("classes", JSON),
    required("n_train", Integer),
    required("n_validation", Integer),
    required("n_test", Integer),
    # Which images give the fitness.
    required("fitness_on", Text),
    required("config", JSON),
    required("versions", JSON),
    required("message", Text),
    # Not a foreign key: candidates refer to searches, and a circle helps nobody.
    Column("best_candidate_id", Integer),
    # Of its committee, if it has one, else of its winner.
    Column("test_accuracy", Double),
    # What simple methods reach on the same images.
    Column("rivals", JSON(none_as_null=True)),
    required("seconds", Double),
    # Outcomes so far, final trainings left out. Counted as they are written, in the same
    # transaction: counting a million rows takes 0.2 s, and `vlga list` counts every search.
    required("n_completed", Integer),
    required("n_failed", Integer),
    required("n_reused", Integer),
    required("created_at", UtcDateTime),
    required("updated_at", UtcDateTime),
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
    required("genome", JSON),
    required("fingerprint", Text),
    required("phase", Integer),
    required("generation", Integer),
    # Where trainings have several lengths: 0 is the shortest.
    required("rung", Integer),
    required("parents", JSON),
    required("operator", Text),
    Column("weights_from", Integer),
    # Number of convolutions, those of skip connections not counted.
    required("depth", Integer),
    # Equal networks, within a search and across searches.
    Index("ix_candidates_fingerprint", "fingerprint"),
)

evaluations = Table(
    "evaluations",
    metadata,
    # SQLite numbers rows by itself only where the type is exactly INTEGER.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    required("search_id", Integer),
    required("candidate_id", Integer),
    required("is_final", Boolean),
    required("reused", Boolean),
    required("epochs", Integer),
    required("seed", BigInteger),
    required("status", Text),
    Column("reason", Text),
    required("message", Text),
    Column("fitness", Double),
    # Of the same images as the fitness, which ties more often.
    Column("validation_loss", Double),
    required("n_parameters", BigInteger),
    required("n_macs", BigInteger),
    required("train_seconds", Double),
    required("worker", Text),
    required("device", Text),
    Column("peak_memory_bytes", BigInteger),
    required("finished_at", UtcDateTime),
    # Of the same trained network, in studies.
    Column("test_accuracy", Double),
    # Equal for equal trainings of all searches; absent in final trainings.
    Column("training_key", Text),
    # Whether it counts on the search's budget: not where an equal candidate of it was trained.
    Column("on_budget", Boolean, nullable=False, server_default=true()),
    # Of one image, on the device that trained; where the search asks for it.
    Column("latency_seconds", Double),
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
# A search's outcomes in the order of recording.
Index("ix_evaluations_search", evaluations.c.search_id, evaluations.c.id)
# Whether any search knows the outcome of a training.
Index("ix_evaluations_training_key", evaluations.c.training_key)
# Failures by reason, the newest of each; costs nothing where nothing fails.
_by_reason = Index(
    "ix_evaluations_reason",
    evaluations.c.search_id,
    evaluations.c.is_final,
    evaluations.c.reused,
    evaluations.c.reason,
    evaluations.c.id,
    sqlite_where=evaluations.c.reason.is_not(None),
)

# Losses and accuracies are absent where they are not finite numbers, as in a diverged training.
epochs = Table(
    "epochs",
    metadata,
    _evaluation_key(),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("train_loss", Double),
    Column("train_accuracy", Double),
    Column("validation_loss", Double),
    Column("validation_accuracy", Double),
    required("learning_rate", Double),
    required("seconds", Double),
    required("amplified_layers", JSON),
    # How steady each layer's gradients were, where it was measured.
    Column("layer_measures", JSON(none_as_null=True)),
    sqlite_with_rowid=False,  # stored in key order: one tree to write instead of two
)

# What a network gets wrong on the test images after its longer training, with pictures: as
# `vlga.ports.mistakes.Mistakes.to_dict` gives it.
mistakes = Table(
    "mistakes",
    metadata,
    _evaluation_key(),
    required("body", JSON),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("search_id", Integer, primary_key=True, autoincrement=False),
    Column("candidate_id", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    required("path", Text),
    required("sha256", Text),
    required("n_bytes", BigInteger),
    required("created_at", UtcDateTime),
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
    required("token", Text),
    required("host", Text),
    required("process_id", Integer),
    required("origin", Text),
    required("since", UtcDateTime),
    # Seconds since 1970 by the database's clock, which alone compares them.
    required("expires", Double),
    Column("stop", Text),
    CheckConstraint("stop IN ('drain', 'now')", name="stop"),
)


def suit(dialect: str) -> None:
    """Give the tables what only this dialect knows.

    Naming Postgres' options above would import all of it with every command: 30 ms.
    """
    if dialect == "postgresql":
        _by_reason.dialect_kwargs["postgresql_where"] = evaluations.c.reason.is_not(None)
