"""What a running search writes, and how values become rows.

codec        values to rows and back
writes       a search's row, candidates, evaluations and files
leases       takes a search, keeps it and lets it go
known        outcomes that any search has recorded
"""
