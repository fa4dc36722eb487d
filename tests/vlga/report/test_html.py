"""The HTML page, read with the standard library's parser."""

import json
from html.parser import HTMLParser

from vlga.report import html
from vlga.report.figures import PALE, Point, figure_of, points

NASTY = "<script>alert('1 & 2')</script> \"quoted\""
DRAWING = figure_of([points(NASTY, [Point(1, 2, "text")], PALE)], title={"text": NASTY})


class Reader(HTMLParser):
    """Collects tags and text; `convert_charrefs` gives the text as a reader sees it."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.labels = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.labels += [value for name, value in attributes if name == "aria-label"]

    def handle_data(self, data):
        self.texts.append(data)


def test_shows_text_as_it_is_given():
    """Titles, paragraphs, code, cells and captions make no elements of their own."""
    parts = (
        html.heading(NASTY),
        html.paragraph(NASTY),
        html.code(NASTY),
        html.table([NASTY], [[NASTY]]),
        html.figure(DRAWING, NASTY, html.table([], [])),
        html.details(NASTY, html.paragraph(NASTY)),
    )
    read = Reader(html.page(NASTY, *parts))

    assert read.texts.count(NASTY) == 10
    shown = ("title", "h1", "h2", "p", "pre", "th", "td", "figcaption", "summary", "script")
    assert [tag for tag in read.tags if tag in shown] == [
        "title", "h1", "h2", "p", "pre", "th", "td", "script", "figcaption", "summary", "summary",
        "p", "script", "script",
    ]  # fmt: skip


def test_a_table_has_a_row_for_each():
    """And a header cell for each column."""
    read = Reader(html.table(["a", "b"], [["1", "2"], ["3", "4"]]))

    assert (read.tags.count("th"), read.tags.count("tr"), read.tags.count("td")) == (2, 3, 4)
    assert [text for text in read.texts if text.strip()] == ["a", "b", "1", "2", "3", "4"]


def test_a_drawing_is_read_out_by_its_caption():
    """Once: a screen reader has the drawing's label, and passes the text below it over."""
    figure = html.figure(DRAWING, NASTY)

    assert Reader(figure).labels == [NASTY]
    assert 'figcaption aria-hidden="true"' in figure


def test_a_figure_is_in_the_page_as_data():
    """Word for word, whatever a name is: nothing in it ends the script that holds it."""
    read = Reader(html.figure(DRAWING, ""))
    (text,) = [one for one in read.texts if one.startswith("{")]

    assert json.loads(text) == DRAWING
    assert "<" not in text


def test_plotly_is_in_a_page_once_and_only_with_figures():
    """A page without figures is as small as its text."""
    one = html.figure(DRAWING, "")

    assert html.page("", one, one).count('id="plotly"') == 1
    assert 1_000_000 < len(html.page("", one)) < 2_500_000
    assert len(html.page("", html.paragraph('<div class="plot"'))) < 5000
