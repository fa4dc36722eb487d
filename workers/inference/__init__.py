"""Trained networks at work.

classifier   images in, probabilities out
mistakes     counting what is wrong with them
plain        networks as they are written, and whether they are the trained ones
export       files that need no vlga
"""
