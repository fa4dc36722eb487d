"""What came out of a search: from recorded rows to text, figures and pages.

formats      tables, JSON and CSV; numbers and times as words
files        writing them without destroying another's file
html         one page in one file
figures      what all figures have in common; figures.js draws them
paired       paired differences and their standard error
best_so_far  the best fitness after so many epochs
rivals       how good a test accuracy is
committee    how good a committee is, and what it costs
mistakes     what a network gets wrong, in words
search       the report of a search
study        the report of a study
comparison   the report of a comparison
"""
