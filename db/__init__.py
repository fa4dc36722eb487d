"""Persistence: every genome, score, learning curve and failure as rows of SQLite or Postgres.

    schema       the tables, and the revision they stand at
    engine       opening a database, reading and writing transactions
    errors       the drivers' exceptions turned into `StoreError`s
    revision     creating a database and refusing one that this version cannot read
    codec        values to rows and back
    store        `SqlStore`, the port `vlga.ports.Store`: what the driver writes with
    queries      plain rows for the reading commands
    lineage      an individual's ancestors
    frames       pandas tables for analysis
    migrate      from one revision to the next (Alembic, migrations/)
    check        what is wrong with a database

Reading commands must start fast: `schema`, `engine`, `errors`, `revision`, `queries` and `lineage`
import SQLAlchemy's core and nothing heavier: no ORM, Alembic, pandas or pydantic. A test holds them
to it.
"""
