"""The report of a comparison of strategies.

summary  rows, and the difference of the best two
ratio    which share of a budget the first strategy needs for what another one reaches
text     its text, its figures and its page
"""
