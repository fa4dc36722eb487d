"""The command line: the one place where search, workers and database are wired together."""
