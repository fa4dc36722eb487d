"""Figures of results: values in, a Plotly figure out, which is plain data for JSON.

A figure says what is drawn, in the colours of a light page. Where it is drawn, figures.js gives it
the page's own text, lines and background, and on a dark page lighter colours.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

from vlga.report.best_so_far import Band

__all__ = [
    "DASHES",
    "MARKERS",
    "PALE",
    "PALETTE",
    "Figure",
    "Point",
    "axis_of",
    "best_so_far_figure",
    "counted_axis",
    "error_axis",
    "error_of",
    "figure_of",
    "label",
    "line",
    "points",
    "rows_axis",
]

#: A Plotly figure, ready for JSON: its traces as `data`, and its `layout`.
Figure = dict[str, Any]

#: Colours that colour-blind people can tell apart: Okabe and Ito's, those darker that are too pale
#: for a white page. figures.js has for each the one on a dark page.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#c0679b", "#b87a00", "#3d95cc", "#333333")
#: For what is one of many and not to be looked at by itself.
PALE = "#8f8f8f"
#: What else tells lines apart, for prints without colour and for more lines than colours.
MARKERS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x")
DASHES = ("solid", "dash", "dot", "dashdot")
#: So many characters of a label fit on a phone.
_WIDTH = 40
#: Above the figure, in as many lines as it takes.
_LEGEND = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}


def best_so_far_figure(
    bands: Mapping[str, Band],
    *,
    n_images: int,
    measure: str,
    budget_epochs: int | None = None,
    ids: Sequence[int] = (),
) -> Figure:
    """Draw the best fitness so far against the epochs trained, one line a strategy.

    The line is the mean over the seeds, the band goes from the worst seed to the best, and a
    marker stands where the longest search ended. The scale is the logarithm of the error, so that
    0.98 and 0.99 are as far apart as 0.8 and 0.9.

    Args:
        bands: by strategy, in the order of the legend.
        n_images: number of validation images, at least 1; no error is drawn smaller than half an
            image.
        measure: what the fitness is, as `vlga.ports.data.fitness_label` says it.
        budget_epochs: where the x-axis ends; None: where the longest search ends.
        ids: if it is one search, the candidate whose fitness is the best at each of the epochs.
    """
    smallest = 0.5 / n_images
    strength = 0.3 / max(2, len(bands))  # many bands on top of each other must not hide the lines
    data: list[dict[str, Any]] = []
    for i, (name, one) in enumerate(bands.items()):
        again, index = divmod(i, len(PALETTE))
        colour = PALETTE[index]
        if one.low != one.high:
            fill = {"fill": "tonexty", "fillcolor": f"{colour}{round(255 * strength):02x}"}
            data.append(_edge(name, one.epochs, one.low, smallest))
            data.append(_edge(name, one.epochs, one.high, smallest) | fill)
        steps = [
            Point(
                epochs,
                error_of(mean, smallest),
                f"{label(name)}<br>{epochs:,} epochs: {mean:.4f}"
                + (f" ({low:.4f} to {high:.4f})" if low != high else ""),
            )
            for epochs, mean, low, high in zip(one.epochs, one.mean, one.low, one.high, strict=True)
        ]
        if ids:
            steps = [
                step._replace(text=f"{step.text}, #{number}", id=number)
                for step, number in zip(steps, ids, strict=True)
            ]
        trace = line(name, steps, colour, dash=DASHES[again % len(DASHES)], shape="hv")
        symbol = MARKERS[(i + again) % len(MARKERS)]
        trace["mode"] = "lines+markers"
        trace["marker"] |= {"symbol": symbol, "size": [0] * (len(steps) - 1) + [9]}
        trace["marker"]["line"] = {"width": 0}
        data.append({**trace, "legendgroup": name})
    end = max([budget_epochs or 1, *(one.epochs[-1] for one in bands.values())])
    seen = [value for one in bands.values() for value in _late(one)]
    return figure_of(
        data,
        xaxis=counted_axis("epochs trained in the search", 0, end * 1.02),
        yaxis=error_axis(f"best {measure} so far", seen, smallest),
        legend={**_LEGEND, "itemsizing": "constant"},
        showlegend=len(bands) > 1,
    )


class Point(NamedTuple):
    """A point of a figure.

    Attributes:
        x: where it is.
        y: likewise.
        text: shown to who points at it, as `label` gives it.
        id: the candidate that it stands for, or None.
    """

    x: float | str
    y: float
    text: str
    id: int | None = None


def figure_of(data: Sequence[Mapping[str, Any]], *, height: int = 400, **layout: Any) -> Figure:
    """Put traces into a figure with what all figures have in common.

    Args:
        data: the traces.
        height: in pixels; the width is that of the page.
        layout: what else there is to say of it, in Plotly's words.
    """
    common = {
        "height": height,
        "margin": {"l": 8, "r": 16, "t": 16, "b": 8},
        "font": {"family": "system-ui, sans-serif", "size": 13},
        "hovermode": "closest",
        "hoverlabel": {"align": "left"},
        "legend": _LEGEND,
    }
    return {"data": list(data), "layout": common | layout}


def label(text: str) -> str:
    """Give a text as Plotly shows it, in lines for a phone: it takes tags for markup."""
    return "<br>".join(escape(part, quote=False) for part in textwrap.wrap(text, _WIDTH))


def points(name: str, some: Sequence[Point], colour: str, **marker: Any) -> dict[str, Any]:
    """Give a trace of points; one that stands for a candidate has its number as `customdata`.

    Args:
        name: in the legend.
        some: where they are.
        colour: of the markers.
        marker: how else they look, in Plotly's words.
    """
    trace = {
        "type": "scatter",
        "name": label(name),
        "x": [one.x for one in some],
        "y": [one.y for one in some],
        "hovertext": [one.text for one in some],
        "hoverinfo": "text",
        "mode": "markers",
        "marker": {"color": colour, "size": 7, **marker},
    }
    ids = [one.id for one in some]
    return trace | ({"customdata": ids} if any(one is not None for one in ids) else {})


def line(
    name: str, some: Sequence[Point], colour: str, symbol: str = "", **style: Any
) -> dict[str, Any]:
    """Give a trace of points joined by a line.

    Args:
        name: in the legend.
        some: where they are.
        colour: of the line.
        symbol: that marks each point, unless there are so many that markers would hide the line.
        style: how else the line looks, in Plotly's words.
    """
    trace = points(name, some, colour)
    trace["line"] = {"color": colour, "width": 2, **style}
    trace["mode"] = "lines"
    if symbol and len(some) <= 30:
        trace["mode"] = "lines+markers"
        trace["marker"]["symbol"] = symbol
    return trace


def axis_of(title: str, **more: Any) -> dict[str, Any]:
    """Give an axis with what all axes have in common, and what else there is to say of it."""
    named = {"text": title, "font": {"size": 13}}
    return {"title": named, "automargin": True, "zeroline": False, **more}


def counted_axis(title: str, low: float, high: float) -> dict[str, Any]:
    """Give an axis of whole numbers from low to high."""
    ticks = {"dtick": 1} if high - low <= 9 else {"nticks": 7}
    return axis_of(title, range=[low, high], tickformat=",", **ticks)


def rows_axis(names: Sequence[str]) -> dict[str, Any]:
    """Give an axis with a name at each whole number from 0, which is at the top."""
    return axis_of(
        "",
        range=[max(1, len(names)) - 0.5, -0.5],
        tickvals=[*range(len(names))],
        ticktext=[label(name) for name in names],
        ticklabelstandoff=6,
        showgrid=False,
    )


def error_of(accuracy: float, smallest: float) -> float:
    """Give where `error_axis` has an accuracy: at its error, or at the smallest that is drawn."""
    return round(max(1 - accuracy, smallest), 9)


def error_axis(title: str, accuracies: Sequence[float], smallest: float) -> dict[str, Any]:
    """Give an axis of errors by their logarithm, labelled with accuracies, the best at its end.

    Args:
        title: of the axis.
        accuracies: that must be visible.
        smallest: the smallest error, above 0; smaller ones are drawn as if they were this.
    """
    errors = [max(1 - end(accuracies, default=0.5), smallest) for end in (min, max)]
    first, last = (math.log10(error) for error in errors)
    margin = max(0.06 * (first - last), 0.02)
    first, last = first + margin, last - margin
    ticks = _round_accuracies(1 - 10.0**first, 1 - 10.0**last)
    top = 1 - smallest
    if max(accuracies, default=0) > top:  # an accuracy of 1 is drawn at the smallest error
        ticks = [*(tick for tick in ticks if tick < 1 - 1.3 * smallest), top]
    decimals = max((len(f"{tick:.6g}") - 2 for tick in ticks if tick != top), default=1)
    return axis_of(
        title,
        type="log",
        range=[first, last],
        tickvals=[error_of(tick, smallest) for tick in ticks],
        ticktext=["1" if tick == top else f"{tick:.{max(1, decimals)}f}" for tick in ticks],
    )


def _edge(
    name: str, epochs: Sequence[int], accuracies: Sequence[float], smallest: float
) -> dict[str, Any]:
    """Give the lower or the upper edge of a band, which is not seen itself."""
    return {
        "type": "scatter",
        "x": list(epochs),
        "y": [error_of(one, smallest) for one in accuracies],
        "mode": "lines",
        "line": {"width": 0, "shape": "hv"},
        "legendgroup": name,
        "showlegend": False,
        "hoverinfo": "skip",
    }


def _late(one: Band) -> list[float]:
    """Give the accuracies that must be visible: all but the first tenth of the search.

    There the curves are steep and alike; showing them whole would take half of the picture.
    """
    start = one.epochs[0] + 0.1 * (one.epochs[-1] - one.epochs[0])
    late = [i for i, epochs in enumerate(one.epochs) if epochs >= start]
    first = max(0, late[0] - 1)
    return [*one.low[first:], *one.high[first:]]


def _round_accuracies(low: float, high: float) -> list[float]:
    """Give round accuracies between these bounds as ticks, some four to twelve of them."""
    ratio = (1 - low) / (1 - high)
    if ratio > 6:  # far apart: errors of some digits times a power of ten
        digits = (1, 2, 5) if ratio > 60 else (1, 2, 3, 5, 7)
        errors = [digit * 10.0**power for power in range(-7, 1) for digit in digits]
    else:
        power = 10.0 ** math.floor(math.log10((high - low) / 4))
        step = next(power * digit for digit in (5, 2, 1) if power * digit <= (high - low) / 4)
        errors = [step * i for i in range(math.ceil(1 / step) + 1)]
    return sorted({round(1 - error, 7) for error in errors if low <= 1 - error <= high})
