"""The tables of the service, and a rollup of the outcomes that are there."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Both databases know window functions.
ROLL_UP = """
INSERT INTO strides (search_id, number, n, n_completed, n_failed, n_reused, n_with_fitness, epochs,
                     train_seconds, lowest, highest, fitness_sum)
SELECT search_id, number, count(*),
       sum(CASE WHEN reused OR status = 'failed' THEN 0 ELSE 1 END),
       sum(CASE WHEN status = 'failed' AND NOT reused THEN 1 ELSE 0 END),
       sum(CASE WHEN reused THEN 1 ELSE 0 END),
       count(fitness),
       sum(CASE WHEN reused THEN 0 ELSE epochs END),
       sum(CASE WHEN reused THEN 0 ELSE train_seconds END),
       min(fitness), max(fitness), coalesce(sum(fitness), 0)
FROM (
    SELECT e.*, (row_number() OVER (PARTITION BY e.search_id ORDER BY e.id) - 1) / 100 AS number
    FROM evaluations e
    WHERE NOT e.is_final
) numbered
GROUP BY search_id, number
"""


def upgrade() -> None:
    """Bring the schema from '0001' to '0002'."""
    op.create_table(
        "submissions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("n_tries", sa.Integer(), nullable=False),
        sa.Column("n_outcomes", sa.BigInteger(), nullable=False),
        sa.Column("next_try", sa.Double(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("is_settled", sa.Boolean(), nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("claim_expires", sa.Double(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("idempotency_body", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "wanted IN ('run', 'pause', 'stop', 'delete')", name=op.f("ck_submissions_wanted")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_submissions_idempotency_key")),
        sa.UniqueConstraint("name", name=op.f("uq_submissions_name")),
    )
    op.create_index(
        "ix_submissions_unsettled",
        "submissions",
        ["is_settled", sa.literal_column("priority DESC"), "id"],
        unique=False,
    )
    op.create_table(
        "actions",
        sa.Column("id", _ROW_NUMBER, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_actions")),
    )
    op.create_index("ix_actions_search", "actions", ["search", "id"], unique=False)
    op.create_table(
        "tokens",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("scope IN ('read', 'write')", name=op.f("ck_tokens_scope")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_tokens")),
        sa.UniqueConstraint("sha256", name=op.f("uq_tokens_sha256")),
    )
    op.create_table(
        "sessions",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["token"], ["tokens.name"], name=op.f("fk_sessions_token_tokens"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_sessions")),
    )
    op.create_table(
        "progress",
        sa.Column("search_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("moment", sa.Double(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["search_id"],
            ["searches.id"],
            name=op.f("fk_progress_search_id_searches"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("search_id", name=op.f("pk_progress")),
    )
    op.create_table(
        "strides",
        sa.Column("search_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("n_completed", sa.Integer(), nullable=False),
        sa.Column("n_failed", sa.Integer(), nullable=False),
        sa.Column("n_reused", sa.Integer(), nullable=False),
        sa.Column("n_with_fitness", sa.Integer(), nullable=False),
        sa.Column("epochs", sa.BigInteger(), nullable=False),
        sa.Column("train_seconds", sa.Double(), nullable=False),
        sa.Column("lowest", sa.Double(), nullable=True),
        sa.Column("highest", sa.Double(), nullable=True),
        sa.Column("fitness_sum", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["search_id"],
            ["searches.id"],
            name=op.f("fk_strides_search_id_searches"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("search_id", "number", name=op.f("pk_strides")),
    )
    op.get_bind().exec_driver_sql(ROLL_UP)
    op.create_index("ix_evaluations_search", "evaluations", ["search_id", "id"], unique=False)
    op.drop_index("ix_evaluations_reason", table_name="evaluations")
    op.create_index(
        "ix_evaluations_reason",
        "evaluations",
        ["search_id", "is_final", "reused", "reason", "id"],
        unique=False,
        sqlite_where=sa.text("reason IS NOT NULL"),
        postgresql_where=sa.text("reason IS NOT NULL"),
    )
