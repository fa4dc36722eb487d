"""The report of a study: fixed networks trained in several ways.

summary  the differences between arms
figures  its figures
text     its text and its page
"""
