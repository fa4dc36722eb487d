"""The report of a search.

summary  what the outcomes add up to
genes    alleles that the fittest have more often
figures  its figures
curves   figures of how its networks learned
text     its text
page     its page
"""
