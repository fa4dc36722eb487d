"""The report of a comparison of strategies.

summary  rows, differences and curves of the strategies
text     its text, its figures and its page
"""
