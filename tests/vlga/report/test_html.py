"""The HTML page, read with the standard library's parser."""

from html.parser import HTMLParser

from vlga.report import html

NASTY = "<script>alert('1 & 2')</script> \"quoted\""


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
        html.figure("<svg></svg>", NASTY),
        html.details(NASTY, html.paragraph(NASTY)),
    )
    read = Reader(html.page(NASTY, *parts))

    assert read.texts.count(NASTY) == 10
    assert "script" not in read.tags
    shown = ("title", "h1", "h2", "p", "pre", "th", "td", "svg", "summary")
    assert [tag for tag in read.tags if tag in shown] == [
        "title", "h1", "h2", "p", "pre", "th", "td", "svg", "summary", "p",
    ]  # fmt: skip


def test_a_table_has_a_row_for_each():
    """And a header cell for each column."""
    read = Reader(html.table(["a", "b"], [["1", "2"], ["3", "4"]]))

    assert (read.tags.count("th"), read.tags.count("tr"), read.tags.count("td")) == (2, 3, 4)
    assert [text for text in read.texts if text.strip()] == ["a", "b", "1", "2", "3", "4"]


def test_a_drawing_is_read_out_by_its_caption():
    """Once: a screen reader has the drawing's label, and passes the text below it over."""
    read = Reader(html.figure('<svg width="1"><text>0.5</text></svg>', NASTY))

    assert read.labels == [NASTY]
    assert 'figcaption aria-hidden="true"' in html.figure("<svg></svg>", NASTY)
