"""One HTML page that needs nothing else: no network, no script, no other file.

All text is escaped here; only the drawing given to `figure` is put in unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from vlga import __version__
from vlga.report.files import MARK

__all__ = ["code", "details", "figure", "heading", "page", "paragraph", "table"]

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; background: #fff; }
h1 { font-size: 1.4rem; }
h2 { font-size: 1.1rem; margin-top: 2.5rem; }
table { border-collapse: collapse; display: block; overflow-x: auto;
        font-variant-numeric: tabular-nums; }
th, td { padding: 0.3rem 0.8rem; border-bottom: 1px solid #ddd; white-space: nowrap;
         text-align: right; }
th { font-weight: 600; border-bottom-color: #555; }
th:first-child, td:first-child { text-align: left; padding-left: 0; white-space: normal; }
figure { margin: 1.5rem 0; }
figure svg { width: 100%; height: auto; }
figcaption, footer { color: #555; font-size: 0.9rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f5f5f5; padding: 0.6rem 0.8rem; }
"""


def page(title: str, *parts: str) -> str:
    """Give the whole page.

    Args:
        title: of the window and above the page.
        parts: results of the other functions here, in order.
    """
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta {MARK}{__version__}">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n" + "\n".join(parts) + "\n</body>\n</html>\n"
    )


def paragraph(text: str) -> str:
    """Give a paragraph of plain text."""
    return f"<p>{escape(text)}</p>"


def heading(text: str) -> str:
    """Give a heading of a part of the page."""
    return f"<h2>{escape(text)}</h2>"


def details(summary: str, *parts: str) -> str:
    """Give parts that are hidden until their summary, plain text, is clicked on."""
    inner = "\n".join(parts)
    return f"<details>\n<summary>{escape(summary)}</summary>\n{inner}\n</details>"


def code(text: str) -> str:
    """Give text in a fixed-width font, with its line breaks."""
    return f"<pre>{escape(text)}</pre>"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Give rows of text under a header, the first column to the left, the others to the right."""
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in rows
    )
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>"


def figure(svg: str, caption: str) -> str:
    """Give a drawing above a line of text, which is what a screen reader reads instead of it.

    Args:
        svg: an ``<svg>`` element, put in as it is.
        caption: plain text.
    """
    named = svg.replace("<svg", f'<svg role="img" aria-label="{escape(caption)}"', 1)
    text = f'<figcaption aria-hidden="true">{escape(caption)}</figcaption>'
    return f"<figure>\n{named}\n{text}\n</figure>"
