"""By what an equal training of another search is found, and what counts on a budget."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns; trainings recorded before have no key, and are not found by it."""
    op.add_column("evaluations", sa.Column("training_key", sa.Text(), nullable=True))
    op.add_column(
        "evaluations",
        sa.Column("on_budget", sa.Boolean(), server_default=sa.true(), nullable=False),
    )
    op.execute("UPDATE evaluations SET on_budget = NOT reused")
    op.create_index("ix_evaluations_training_key", "evaluations", ["training_key"])


def downgrade() -> None:
    """Drop the columns: an older version trains again, and reuses only what costs nothing."""
    op.drop_index("ix_evaluations_training_key", "evaluations")
    op.drop_column("evaluations", "on_budget")
    op.drop_column("evaluations", "training_key")
