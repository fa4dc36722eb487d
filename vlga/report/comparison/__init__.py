"""The report of a comparison of strategies.

summary  what the searches add up to
text     its text, its figures and its page
"""
