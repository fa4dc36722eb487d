"""What a command, a service and a notebook have in common: run, resume and compare searches.

The only place that joins the loop of a search with workers and database. It raises the project's
own errors, prints nothing, sets no signal handlers, and reports by events (vlga/ports/observer.py)
and by `logging`.

evaluators   reads the images and makes what trains
searches     enters a search in the database and runs it to its end
ready        makes a search, new or known, ready to run
submitted    makes one that was submitted to the service ready to run
deletion     deletes a search with its files
resume       which settings a resumed search has
comparisons  several strategies with equal budgets
reports      what a search found, as text and as a page
studies      fixed networks trained in several ways
listeners    what else gets the events of every search
live         one of them: where it stands, into the database
trained      a network with its weights, found by SEARCH[:ID]
predictions  what it says of new images
mistakes     what it gets wrong on the test images
exports      it as files that need no vlga; model_card is their README
"""
