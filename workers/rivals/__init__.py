"""What simple methods reach on the images of a search.

compute     the methods, and the sample of images that they are given
background  a process of low priority that computes it while a search runs
"""

from workers.rivals.background import BackgroundRivals

__all__ = ["BackgroundRivals"]
