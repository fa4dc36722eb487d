"""``vlga report``: what a search or a study found, in the terminal and as an HTML page."""

from __future__ import annotations

from pathlib import Path

import click

from db.connection.engine import database_file, opened
from db.read import searches
from vlga.cli.completion import search_argument
from vlga.cli.options import db_option, format_option
from vlga.cli.screen import screen_width
from vlga.config.strategies import STUDIES
from vlga.report.files import replace_file, require_own

__all__ = ["report"]


@click.command()
@search_argument("search")
@click.option(
    "--html", type=click.Path(path_type=Path), help="Write a page with figures to this file, too."
)
@click.option("--force", is_flag=True, help="Overwrite a file of --html that is no page of vlga.")
@db_option
@format_option
def report(search: str, html: Path | None, force: bool, db_url: str, form: str) -> None:
    """Show what a search found, or a study of vlga train.

    For a search: fitness and depth by generation, failures, what the fittest networks have in
    common, fitness against size, and the winner.

    For a study: the difference of each arm (a way to amplify gradients) from plain training, with
    its standard error; how steady each layer's gradients were (G), and in which epochs it was
    amplified, one character an epoch, averaged over the seeds. "Better" and "worse" come from a
    paired Student's t test at 95 %: about one of twenty arms without any effect is called so.

    The page of --html opens without a network.
    """
    document = ""
    with opened(db_url) as engine:
        if html:
            require_own(
                "--html",
                html,
                database_file(engine),
                way_out="choose another name, or overwrite it with --force",
                force=force,
            )
        shown = searches.show_search(engine, search)
        # Each loads only what it needs: settings for a study, figures for a page.
        if shown["strategy"] in STUDIES:
            from db.read.studies import study_runs
            from vlga.report.study.text import report_page, study_text

            runs = study_runs(engine, search)
            text = study_text(runs, form, screen_width())
            if html:
                document = report_page(search, shown["data"], runs)
        else:
            from vlga.app.reports import page_of, report_of

            found = report_of(engine, search)
            text = found.text(form, screen_width())
            if html:
                document = page_of(engine, found)
    click.echo(text)
    if html:
        replace_file("--html", html, document.encode())
        click.echo(f"page: {html}", err=True)
