"""Trained networks at work: predictions, and exports that need no vlga."""
