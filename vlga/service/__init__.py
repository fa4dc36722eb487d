"""The search service: a queue of searches, what carries it out, a REST interface and pages.

It stands on `vlga.app` as the command line does. Searches run as processes of their own, and the
database is all that they and the service share.

decide       what to do about a search: a pure function
rounds       does it, once a second, by a queue and a host
child        that host: processes of searches on this machine
supervisor   the thread that makes the rounds
"""
