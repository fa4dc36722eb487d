"""What a study records: test accuracies, and each layer's measure by epoch."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns; what is there already has none of it."""
    op.add_column("evaluations", sa.Column("test_accuracy", sa.Double(), nullable=True))
    op.add_column("epochs", sa.Column("layer_measures", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Drop the columns and what is in them."""
    op.drop_column("epochs", "layer_measures")
    op.drop_column("evaluations", "test_accuracy")
