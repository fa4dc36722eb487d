"""What people call from Python: begin a search, open one, and use what it found.

searching    begins a search, or opens one of a database
result       a search as an object: its winner, its population, its report
live         what a notebook shows while a search runs
interrupt    Ctrl-C, which people press more than once
classifier   a search as an estimator of scikit-learn; rows are the images of its pipelines
"""
