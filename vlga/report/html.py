"""One HTML page that needs nothing else: no network and no other file.

All text is escaped here. Plotly, which draws the figures, is in the page, packed.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path

from vlga import __version__
from vlga.report.figures import Figure
from vlga.report.files import MARK

__all__ = ["code", "details", "figure", "heading", "page", "paragraph", "plotly_file", "table"]

_STYLE = """
:root { color-scheme: light dark; --text: light-dark(#1f2328, #e4e6e9);
        --muted: light-dark(#59636e, #a3abb5); --line: light-dark(#d5d9de, #3a4048);
        --page: light-dark(#ffffff, #15181c); --code: light-dark(#f5f6f8, #1e2227); }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem;
       color: var(--text); background: var(--page); overflow-wrap: anywhere; }
p, figcaption { max-width: 50rem; }
h1 { font-size: 1.5rem; line-height: 1.25; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 0; }
table { border-collapse: collapse; display: block; overflow-x: auto; overflow-wrap: normal;
        font-variant-numeric: tabular-nums; }
th, td { padding: 0.3rem 0.65rem; border-bottom: 1px solid var(--line); white-space: nowrap;
         text-align: right; }
th { font-weight: 600; border-bottom-color: var(--muted); white-space: normal;
     vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; padding-left: 0; white-space: normal; }
td:first-child { min-width: 5rem; }
figure { margin: 1rem 0; }
figcaption, summary, noscript { color: var(--muted); font-size: 0.875rem; }
figcaption { margin-top: 0.5rem; }
summary { cursor: pointer; margin: 0.5rem 0; }
pre { white-space: pre-wrap; background: var(--code); padding: 0.6rem 0.8rem; font-size: 0.875rem; }
"""
#: How a figure begins: escaped text never looks so.
_PLOT = '<div class="plot" '
_UNPACK = """
vlgaFigures.drawn = (async () => {
  const packed = atob(document.getElementById("plotly").textContent);
  const bytes = Uint8Array.from(packed, (one) => one.charCodeAt(0));
  const unpacked = new DecompressionStream("gzip");
  const writer = unpacked.writable.getWriter();
  writer.write(bytes);
  writer.close();
  const script = document.createElement("script");
  script.textContent = await new Response(unpacked.readable).text();
  document.head.append(script);
  await vlgaFigures.drawAll();
})();
"""


def page(title: str, *parts: str) -> str:
    """Give the whole page, of 2 MB if there is a figure in it.

    Args:
        title: of the window and above the page.
        parts: results of the other functions here, in order.
    """
    drawing = _drawing() if any(_PLOT in part for part in parts) else ""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta {MARK}{__version__}">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n" + "\n".join(parts) + f"\n{drawing}</body>\n</html>\n"
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


def figure(drawing: Figure, caption: str, numbers: str = "") -> str:
    """Give a figure above a line of text, which is what a screen reader reads instead of it.

    Args:
        drawing: as the functions of figures.py make it.
        caption: plain text.
        numbers: a table of what is drawn, which is hidden until it is asked for.
    """
    # Inside a script, nothing but its end tag is read as HTML.
    tree = json.dumps(drawing, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<figure>\n{_PLOT}role="group" aria-label="{escape(caption)}" '
        f'style="min-height: {drawing["layout"]["height"]}px">'
        f'<script type="application/json">{tree}</script></div>\n'
        f'<figcaption aria-hidden="true">{escape(caption)}</figcaption>\n'
        + (f"{details('As a table', numbers)}\n" if numbers else "")
        + "</figure>"
    )


def plotly_file() -> Path:
    """Give the file of Plotly for browsers, which comes with the installed package."""
    file = "plotly/package_data/plotly.min.js"
    return Path(str(distribution("plotly").locate_file(file)))


@cache
def _drawing() -> str:
    """Give what draws the figures of a page: Plotly, and how it is to draw."""
    packed = b64encode(gzip.compress(plotly_file().read_bytes(), mtime=0)).decode()
    own = files("vlga.report").joinpath("figures.js").read_text(encoding="utf-8")
    return (
        "<noscript>Figures are drawn by JavaScript, which is off here; the tables below them have "
        f'their numbers.</noscript>\n<script id="plotly" type="text/plain">{packed}</script>\n'
        f"<script>\n{own}{_UNPACK}</script>\n"
    )
