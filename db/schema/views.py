"""The views that a person queries instead of the tables, made from them with every question.

Named as the frames of `db.frames` where they hold the same, and like them one row a thing; each
begins with the search's name. SQLite and Postgres take JSON apart in different words, hence two
texts for some.

A change here needs a new revision that drops the old view and makes the new one, and so does one to
a table under a view: Postgres changes no column that a view shows. A test holds the two alike.
"""

from __future__ import annotations

from sqlalchemy import Connection

__all__ = ["VIEWS", "create_views"]

_POPULATION = """
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

_FAILURES = """
SELECT s.name AS search, c.id, c.phase, c.generation, c.rung, e.is_final, e.reason, e.message,
       e.epochs, e.n_parameters AS parameters, e.n_macs AS macs, e.latency_seconds,
       e.train_seconds, e.worker, e.device, e.peak_memory_bytes, e.finished_at
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

#: Every view with its query, by dialect.
VIEWS = {
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


def create_views(connection: Connection) -> None:
    """Make every view in the connection's transaction."""
    for name, query in VIEWS[connection.dialect.name].items():
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {query.strip()}")
