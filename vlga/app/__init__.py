"""What a command, a service and a notebook do alike: enter, run, resume and compare searches.

The only place that joins the loop of a search with workers and database. It raises the project's
own errors, prints nothing, sets no signal handlers, and tells whoever watches by events
(vlga/ports/observer.py) and by `logging`.

evaluators   reads the images and makes what trains
searches     enters a search and runs it to its end
resume       what a search goes on with
comparisons  several strategies on equal terms
studies      fixed networks trained in several ways
listeners    who else hears of every search's events
"""
