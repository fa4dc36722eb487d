"""What flows through a search, and its three doors: evaluator, ledger and observer.

candidate   a genome to evaluate, and the individual it becomes
evaluation  the outcome of a training
data        what a search must know of its images
evaluator   trains candidates
machines    where trainings can run
ledger      records everything
lease       who holds a search, one process at a time
observer    watches a search
rivals      what simple methods reach on its images
mistakes    what its winner gets wrong
"""
