"""Alembic's environment: `env` runs the revisions in versions/ for `db.upkeep.migrate`."""
