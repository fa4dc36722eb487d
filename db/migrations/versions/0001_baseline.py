"""The first schema: all tables and views of the first release.

A revision never changes once released, hence they are written out and not taken from
`db.schema.tables` and `db.schema.views`, which move on.
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


_POPULATION = """
SELECT s.name AS search, c.id, c.phase, c.generation, c.rung, c.operator, c.parents,
       c.weights_from, c.fingerprint, c.depth, e.id AS evaluation_id, e.reused, e.fitness,
       e.validation_loss, e.test_accuracy, e.status, e.reason, e.message,
       e.n_parameters AS parameters, e.n_macs AS macs, e.epochs, e.seed, e.train_seconds, e.worker,
       e.device, e.peak_memory_bytes, e.finished_at
FROM searches s
JOIN candidates c ON c.search_id = s.id
LEFT JOIN evaluations e ON e.id = (
    SELECT best.id FROM evaluations best
    WHERE best.search_id = c.search_id AND best.candidate_id = c.id AND NOT best.is_final
    ORDER BY best.fitness IS NULL, best.fitness DESC, best.id
    LIMIT 1
)
"""

_FAILURES = """
SELECT s.name AS search, c.id, c.phase, c.generation, c.rung, e.is_final, e.reason, e.message,
       e.epochs, e.n_parameters AS parameters, e.n_macs AS macs, e.train_seconds, e.worker,
       e.device, e.peak_memory_bytes, e.finished_at
FROM evaluations e
JOIN candidates c ON c.search_id = e.search_id AND c.id = e.candidate_id
JOIN searches s ON s.id = e.search_id
WHERE e.reason IS NOT NULL AND NOT e.reused
"""

_LEARNING_CURVES = """
SELECT s.name AS search, e.candidate_id AS id, e.is_final, p.evaluation_id, p.epoch, p.train_loss,
       p.train_accuracy, p.validation_loss, p.validation_accuracy, p.learning_rate, p.seconds,
       p.amplified_layers, p.layer_measures
FROM searches s
JOIN evaluations e ON e.search_id = s.id
JOIN epochs p ON p.evaluation_id = e.id
"""

_LINEAGE_SQLITE = """
SELECT s.name AS search, p.value AS parent, c.id AS child, c.operator
FROM searches s
JOIN candidates c ON c.search_id = s.id
JOIN json_each(c.parents) p
"""

_LINEAGE_POSTGRESQL = """
SELECT s.name AS search, p.value::integer AS parent, c.id AS child, c.operator
FROM searches s
JOIN candidates c ON c.search_id = s.id
CROSS JOIN LATERAL json_array_elements_text(c.parents) AS p(value)
"""

# SQLite's JSON functions give true and false as 1 and 0.
_GENES_SQLITE = """
SELECT s.name AS search, c.id, g.key AS gene,
       CASE WHEN g.type IN ('true', 'false') THEN g.type ELSE CAST(g.value AS TEXT) END AS allele
FROM searches s
JOIN candidates c ON c.search_id = s.id
JOIN json_each(c.genome, '$.network') g
WHERE json_type(c.genome, '$.blocks') = 'array'
UNION ALL
SELECT s.name, c.id, 'blocks.' || b.key || '.' || g.key,
       CASE WHEN g.type IN ('true', 'false') THEN g.type ELSE CAST(g.value AS TEXT) END
FROM searches s
JOIN candidates c ON c.search_id = s.id
JOIN json_each(c.genome, '$.blocks') b
JOIN json_each(b.value) g
"""

# A study's trial has a name where a genome has its network's genes, and no blocks.
_GENES_POSTGRESQL = """
SELECT s.name AS search, c.id, g.key AS gene, g.value AS allele
FROM searches s
JOIN candidates c ON c.search_id = s.id
CROSS JOIN LATERAL json_each_text(
    CASE json_typeof(c.genome -> 'blocks')
    WHEN 'array' THEN c.genome -> 'network' ELSE '{}'::json END
) AS g
UNION ALL
SELECT s.name, c.id, 'blocks.' || (b.number - 1) || '.' || g.key, g.value
FROM searches s
JOIN candidates c ON c.search_id = s.id
CROSS JOIN LATERAL json_array_elements(
    CASE json_typeof(c.genome -> 'blocks')
    WHEN 'array' THEN c.genome -> 'blocks' ELSE '[]'::json END
) WITH ORDINALITY AS b(block, number)
CROSS JOIN LATERAL json_each_text(b.block) AS g
"""

_VIEWS = {
    "sqlite": {
        "population": _POPULATION,
        "lineage": _LINEAGE_SQLITE,
        "genes": _GENES_SQLITE,
        "failures": _FAILURES,
        "learning_curves": _LEARNING_CURVES,
    },
    "postgresql": {
        "population": _POPULATION,
        "lineage": _LINEAGE_POSTGRESQL,
        "genes": _GENES_POSTGRESQL,
        "failures": _FAILURES,
        "learning_curves": _LEARNING_CURVES,
    },
}


def upgrade() -> None:
    """Make all tables and views in an empty database."""
    op.create_table(
        "searches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("data_name", sa.Text(), nullable=False),
        sa.Column("data_fingerprint", sa.Text(), nullable=False),
        sa.Column("input_channels", sa.Integer(), nullable=False),
        sa.Column("input_height", sa.Integer(), nullable=False),
        sa.Column("input_width", sa.Integer(), nullable=False),
        sa.Column("n_classes", sa.Integer(), nullable=False),
        sa.Column("classes", sa.JSON(), nullable=False),
        sa.Column("n_train", sa.Integer(), nullable=False),
        sa.Column("n_validation", sa.Integer(), nullable=False),
        sa.Column("n_test", sa.Integer(), nullable=False),
        sa.Column("fitness_on", sa.Text(), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("best_candidate_id", sa.Integer(), nullable=True),
        sa.Column("test_accuracy", sa.Double(), nullable=True),
        sa.Column("rivals", sa.JSON(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("n_completed", sa.Integer(), nullable=False),
        sa.Column("n_failed", sa.Integer(), nullable=False),
        sa.Column("n_reused", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('running', 'completed', 'interrupted', 'failed')",
            name=op.f("ck_searches_status"),
        ),
        sa.CheckConstraint(
            "test_accuracy >= 0 AND test_accuracy <= 1", name=op.f("ck_searches_test_accuracy")
        ),
        sa.CheckConstraint(
            "fitness_on IN ('validation', 'test')", name=op.f("ck_searches_fitness_on")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_searches")),
        sa.UniqueConstraint("name", name=op.f("uq_searches_name")),
    )
    op.create_table(
        "candidates",
        sa.Column("search_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("genome", sa.JSON(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("phase", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("rung", sa.Integer(), nullable=False),
        sa.Column("parents", sa.JSON(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("weights_from", sa.Integer(), nullable=True),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["search_id"],
            ["searches.id"],
            name=op.f("fk_candidates_search_id_searches"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("search_id", "id", name=op.f("pk_candidates")),
    )
    op.create_index("ix_candidates_fingerprint", "candidates", ["fingerprint"])
    op.create_table(
        "artifacts",
        sa.Column("search_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("candidate_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("n_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["search_id", "candidate_id"],
            ["candidates.search_id", "candidates.id"],
            name=op.f("fk_artifacts_search_id_candidates"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("search_id", "candidate_id", "kind", name=op.f("pk_artifacts")),
    )
    op.create_table(
        "evaluations",
        sa.Column("id", _ROW_NUMBER, nullable=False),
        sa.Column("search_id", sa.Integer(), nullable=False),
        sa.Column("candidate_id", sa.Integer(), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("reused", sa.Boolean(), nullable=False),
        sa.Column("epochs", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("fitness", sa.Double(), nullable=True),
        sa.Column("validation_loss", sa.Double(), nullable=True),
        sa.Column("n_parameters", sa.BigInteger(), nullable=False),
        sa.Column("n_macs", sa.BigInteger(), nullable=False),
        sa.Column("train_seconds", sa.Double(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("peak_memory_bytes", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("test_accuracy", sa.Double(), nullable=True),
        sa.Column("training_key", sa.Text(), nullable=True),
        sa.Column("on_budget", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.CheckConstraint(
            "(status = 'completed') = (fitness IS NOT NULL)",
            name=op.f("ck_evaluations_fitness_if_completed"),
        ),
        sa.CheckConstraint(
            "(status = 'failed') = (reason IS NOT NULL)",
            name=op.f("ck_evaluations_reason_if_failed"),
        ),
        sa.CheckConstraint("status IN ('completed', 'failed')", name=op.f("ck_evaluations_status")),
        sa.CheckConstraint("fitness >= 0 AND fitness <= 1", name=op.f("ck_evaluations_fitness")),
        sa.ForeignKeyConstraint(
            ["search_id", "candidate_id"],
            ["candidates.search_id", "candidates.id"],
            name=op.f("fk_evaluations_search_id_candidates"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluations")),
    )
    op.create_index(
        "ix_evaluations_candidate",
        "evaluations",
        ["search_id", "candidate_id", "is_final", "fitness"],
    )
    op.create_index(
        "ix_evaluations_fitness",
        "evaluations",
        ["search_id", "is_final", sa.literal_column("fitness DESC"), "candidate_id"],
    )
    op.create_index("ix_evaluations_training_key", "evaluations", ["training_key"])
    op.create_index(
        "ix_evaluations_reason",
        "evaluations",
        ["search_id", "is_final", "reused", "reason"],
        sqlite_where=sa.text("reason IS NOT NULL"),
        postgresql_where=sa.text("reason IS NOT NULL"),
    )
    op.create_table(
        "epochs",
        sa.Column("evaluation_id", _ROW_NUMBER, autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("train_loss", sa.Double(), nullable=True),
        sa.Column("train_accuracy", sa.Double(), nullable=True),
        sa.Column("validation_loss", sa.Double(), nullable=True),
        sa.Column("validation_accuracy", sa.Double(), nullable=True),
        sa.Column("learning_rate", sa.Double(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("amplified_layers", sa.JSON(), nullable=False),
        sa.Column("layer_measures", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["evaluation_id"],
            ["evaluations.id"],
            name=op.f("fk_epochs_evaluation_id_evaluations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("evaluation_id", "epoch", name=op.f("pk_epochs")),
        sqlite_with_rowid=False,
    )
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
    identity = op.create_table(
        "identity",
        sa.Column("id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity")),
    )
    connection = op.get_bind()
    connection.execute(identity.insert().values(id=secrets.token_hex(4)))
    for name, query in _VIEWS[connection.dialect.name].items():
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {query.strip()}")
