"""Run by Alembic: applies revisions on the connection that `db.upkeep.migrate` opened.

The connection's transaction is the caller's, so that all revisions happen together or not at all.
"""

from alembic import context

from db.schema.service import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a column only by rebuilding its table
)
context.run_migrations()
