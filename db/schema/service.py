"""The tables of the service: what is wanted of searches, by whom, and who may want it.

Apart from the ledger (tables.py), of whose rows the service writes none. `metadata` has all tables
only once this module is imported: take it from here.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
)

from db.schema.tables import UtcDateTime, metadata, required

__all__ = ["actions", "metadata", "progress", "sessions", "strides", "submissions", "tokens"]

#: What is wanted of each search that somebody wants something of (vlga/ports/queue.py).
submissions = Table(
    "submissions",
    metadata,
    Column("id", Integer, primary_key=True),
    required("name", Text, unique=True),
    required("settings", JSON),
    required("changes", JSON),
    required("wanted", Text),
    required("priority", Integer),
    required("n_tries", Integer),
    required("n_outcomes", BigInteger),
    # Seconds since 1970 by the database's clock, as in `leases`.
    required("next_try", Double),
    required("note", Text),
    required("is_settled", Boolean),
    # The service that starts it, and until when nobody else does.
    Column("claimed_by", Text),
    required("claim_expires", Double),
    required("created_by", Text),
    required("created_at", UtcDateTime),
    # What a client sends with a submission that it may repeat, and what came with it.
    Column("idempotency_key", Text, unique=True),
    Column("idempotency_body", Text),
    CheckConstraint("wanted IN ('run', 'pause', 'stop', 'delete')", name="wanted"),
)
Index(
    "ix_submissions_unsettled",
    submissions.c.is_settled,
    submissions.c.priority.desc(),
    submissions.c.id,
)

#: Who did what to which search. Not a foreign key: what was done to a deleted search stays.
actions = Table(
    "actions",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    required("at", UtcDateTime),
    required("who", Text),
    required("what", Text),
    required("search", Text),
    required("detail", Text),
    Index("ix_actions_search", "search", "id"),
)

#: Who may use the service. Only hashes are kept.
tokens = Table(
    "tokens",
    metadata,
    Column("name", Text, primary_key=True),
    required("sha256", Text, unique=True),
    required("scope", Text),
    required("created_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    CheckConstraint("scope IN ('read', 'write')", name="scope"),
)

#: Browsers that signed in with a token, until it ends.
sessions = Table(
    "sessions",
    metadata,
    Column("sha256", Text, primary_key=True),
    required("token", Text, ForeignKey("tokens.name", ondelete="CASCADE")),
    required("created_at", UtcDateTime),
    required("expires_at", UtcDateTime),
)

#: Where a running search stands, as it last said (`vlga.ports.observer.Progress` and what it
#: trains).
progress = Table(
    "progress",
    metadata,
    Column(
        "search_id",
        Integer,
        ForeignKey("searches.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    # Seconds since 1970 by the database's clock.
    required("moment", Double),
    required("body", JSON),
)

#: Every hundred outcomes of a search in one row, in the order of recording, so that a chart of a
#: million is read at once. Final trainings are left out, as in the counts of `searches`.
strides = Table(
    "strides",
    metadata,
    Column(
        "search_id",
        Integer,
        ForeignKey("searches.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("number", Integer, primary_key=True, autoincrement=False),
    required("n", Integer),
    required("n_completed", Integer),
    required("n_failed", Integer),
    required("n_reused", Integer),
    # Outcomes with a fitness: the completed, and the reused that did not fail.
    required("n_with_fitness", Integer),
    # Trained epochs: those of outcomes that were taken over are not counted.
    required("epochs", BigInteger),
    required("train_seconds", Double),
    # Of those with a fitness; absent where none has one.
    Column("lowest", Double),
    Column("highest", Double),
    required("fitness_sum", Double),
)
