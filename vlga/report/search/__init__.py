"""The report of a search.

summary  what the outcomes add up to
genes    alleles that the fittest have more often
plots    its figures
text     its text
page     its page
"""
