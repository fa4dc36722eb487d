"""The tables and views of the database, and the revision they stand at.

tables       the tables
views        the views that a person queries
revision     creates a database, and refuses one that this version cannot read
"""
