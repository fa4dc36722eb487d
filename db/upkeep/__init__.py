"""Looking after a database: migrating, checking and deleting.

migrate      from one revision to the next (Alembic, db/migrations/)
check        what is wrong with a database and its files
delete       takes a search out
"""
