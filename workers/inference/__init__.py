"""Trained networks at work.

classifier   images in, probabilities out
plain        networks as they are written, and whether they are the trained ones
export       files that need no vlga
"""
