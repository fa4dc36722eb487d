"""Opening a database, its transactions, and what goes wrong with them.

urls         which URLs a database may have, and how one is shown
engine       opening a database; reading and writing transactions
errors       the drivers' exceptions as `StoreError`s
outage       waiting for a database that is away
"""
