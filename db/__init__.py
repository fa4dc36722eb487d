"""Persistence: every genome, score, learning curve and failure as rows of SQLite or Postgres.

    schema       the tables, and the revision they stand at
    views        the views that a person queries
    engine       opening a database, reading and writing transactions
    errors       the drivers' exceptions turned into `StoreError`s
    outage       waiting for a database that is away
    revision     creating a database and refusing one that this version cannot read
    codec        values to rows and back
    store        `SqlStore`, the ports `Ledger` and `Leases`: what the driver writes with
    queries      plain rows for the reading commands
    lineage      an individual's ancestors
    reports      what a search's report is computed from
    studies      what a study's report is computed from
    comparison   what a comparison of searches is computed from
    frames       pandas tables for analysis
    migrate      from one revision to the next (Alembic, migrations/)
    delete       taking a search out
    check        what is wrong with a database

Reading commands must start fast: `schema`, `views`, `engine`, `errors`, `revision`, `queries`,
`lineage` and `reports` import SQLAlchemy's core and nothing heavier: no ORM, Alembic, pandas or
pydantic. A test holds them to it.
"""
