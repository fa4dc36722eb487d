"""What a search found, as text and as a page."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from db.read.mistakes import read_mistakes
from db.read.reports import learning_curves, search_genomes, search_outcomes
from db.read.searches import show_search

if TYPE_CHECKING:
    from vlga.report.search.text import SearchReport

__all__ = ["page_of", "report_of"]


def report_of(engine: Engine, name: str) -> SearchReport:
    """Give the numbers of a search, not of a study, as `vlga report` shows them.

    Raises:
        SearchNotFound: no search of that name.
    """
    from vlga.report.search.text import SearchReport

    genomes = partial(search_genomes, engine, name)
    return SearchReport.of(show_search(engine, name), search_outcomes(engine, name), genomes)


def page_of(engine: Engine, report: SearchReport) -> str:
    """Give the HTML page of a report, with its figures, that opens without a network."""
    from vlga.report.search.page import search_page

    name = report.shown["name"]
    return search_page(
        report,
        partial(learning_curves, engine, name),
        partial(search_genomes, engine, name),
        read_mistakes(engine, name),
    )
