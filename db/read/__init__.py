"""What readers ask, as plain rows; one noun a module.

searches     searches, the fittest individuals, one individual
committees   the mean of a search's best networks, tested beside its winner
leases       who holds a search
pages        candidates, page by page
outcomes     the feed of outcomes, and failures
status       whether a search runs, has ended or is lost
progress     where a running search stands
submissions  what is wanted of searches, with what is so
lineage      an individual's ancestors
reports      what a search's report is computed from
studies      what a study's report is computed from
comparison   what a comparison of searches is computed from
curves       learning curves
"""
