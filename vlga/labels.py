"""Words that go into the ledger and are looked for in it. Imports nothing: `vlga list` is fast."""

__all__ = ["TEST_FITNESS"]

#: Ends the name of a data set whose test images give the fitness, wherever the name is shown.
TEST_FITNESS = " (fitness on the TEST images)"
