"""Persistence: every genome, score, learning curve and failure as rows of SQLite or Postgres.

schema       the tables and views, and the revision they stand at
connection   opening a database, its transactions, what goes wrong with them
read         what readers ask, as plain rows
ledger       what a running search writes, and who holds it
store        `SqlStore`, the ports `Ledger` and `Leases`
frames       pandas tables for analysis
upkeep       migrating, checking and deleting
migrations   from one revision to the next (Alembic)

Reading commands must start fast: `schema`, `connection` and `read` import SQLAlchemy's core and
nothing heavier: no ORM, Alembic, pandas or pydantic. A test holds them to it.
"""
