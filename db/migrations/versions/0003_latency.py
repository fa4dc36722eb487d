"""How long a network takes for one image, in the outcomes and the views that show them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

POPULATION = """
SELECT s.name AS search, c.id, c.phase, c.generation, c.rung, c.operator, c.parents,
       c.weights_from, c.fingerprint, c.depth, e.id AS evaluation_id, e.reused, e.fitness,
       e.validation_loss, e.test_accuracy, e.status, e.reason, e.message,
       e.n_parameters AS parameters, e.n_macs AS macs, e.latency_seconds, e.epochs, e.seed,
       e.train_seconds, e.worker, e.device, e.peak_memory_bytes, e.finished_at
FROM searches s
JOIN candidates c ON c.search_id = s.id
LEFT JOIN evaluations e ON e.id = (
    SELECT best.id FROM evaluations best
    WHERE best.search_id = c.search_id AND best.candidate_id = c.id AND NOT best.is_final
    ORDER BY best.fitness IS NULL, best.fitness DESC, best.id
    LIMIT 1
)
"""

FAILURES = """
SELECT s.name AS search, c.id, c.phase, c.generation, c.rung, e.is_final, e.reason, e.message,
       e.epochs, e.n_parameters AS parameters, e.n_macs AS macs, e.latency_seconds,
       e.train_seconds, e.worker, e.device, e.peak_memory_bytes, e.finished_at
FROM evaluations e
JOIN candidates c ON c.search_id = e.search_id AND c.id = e.candidate_id
JOIN searches s ON s.id = e.search_id
WHERE e.reason IS NOT NULL AND NOT e.reused
"""


def upgrade() -> None:
    """Bring the schema from '0002' to '0003'."""
    connection = op.get_bind()
    op.add_column("evaluations", sa.Column("latency_seconds", sa.Double(), nullable=True))
    for name, query in (("population", POPULATION), ("failures", FAILURES)):
        connection.exec_driver_sql(f"DROP VIEW {name}")
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {query.strip()}")
