"""Who runs a search, and who wants it to stop."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table; no search of an older version is held by anybody."""
    op.create_table(
        "leases",
        sa.Column("search_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("process_id", sa.Integer(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.Double(), nullable=False),
        sa.Column("stop", sa.Text(), nullable=True),
        sa.CheckConstraint("stop IN ('drain', 'now')", name=op.f("ck_leases_stop")),
        sa.ForeignKeyConstraint(
            ["search_id"],
            ["searches.id"],
            name=op.f("fk_leases_search_id_searches"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("search_id", name=op.f("pk_leases")),
    )


def downgrade() -> None:
    """Drop the table: an older version holds nothing."""
    op.drop_table("leases")
