"""Pictures of results, drawn with matplotlib: values in, a figure or a file's bytes out.

No global state: figures are made without pyplot, and files without a display.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from vlga import __version__
from vlga.report.best_so_far import Band

__all__ = [
    "GREY",
    "MARKERS",
    "PALETTE",
    "best_so_far_figure",
    "png_bytes",
    "scale_by_error",
    "svg_text",
    "tidy",
]

#: Okabe and Ito's colours, which color-blind people can tell apart, without the pale yellow; and a
#: marker for each, for prints without color.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
GREY = "#555555"


def best_so_far_figure(
    bands: Mapping[str, Band], *, title: str, n_images: int, budget_epochs: int | None = None
) -> Figure:
    """Draw the best validation accuracy so far against the epochs trained, one line a strategy.

    The line is the mean over the seeds, the band goes from the worst seed to the best, and a
    marker stands where the longest search ended. The scale is the logarithm of the error, so that
    0.98 and 0.99 are as far apart as 0.8 and 0.9.

    Args:
        bands: by strategy, in the order of the legend.
        title: above the picture.
        n_images: number of validation images, at least 1; no error is drawn smaller than half an
            image.
        budget_epochs: where the x-axis ends; None: where the longest search ends.
    """
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    smallest = 0.5 / n_images
    alpha = 0.3 / max(2, len(bands))  # many bands on top of each other must not hide the lines
    for i, (name, one) in enumerate(bands.items()):
        again, index = divmod(i, len(PALETTE))
        colour, marker = PALETTE[index], MARKERS[(i + again) % len(MARKERS)]
        axes.fill_between(
            one.epochs, one.low, one.high, step="post", color=colour, alpha=alpha, linewidth=0
        )
        axes.plot(one.epochs, one.mean, drawstyle="steps-post", color=colour, linewidth=2)
        axes.plot(one.epochs[-1:], one.mean[-1:], marker, color=colour, markersize=7)
        # An empty line for the legend, with the marker that the drawn line has only at its end.
        axes.plot([], [], f"-{marker}", color=colour, linewidth=2, label=name)
    scale_by_error(axes, [value for one in bands.values() for value in _drawn(one)], smallest)
    end = max([budget_epochs or 1, *(one.epochs[-1] for one in bands.values())])
    axes.set_xlim(0, end * 1.02)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.set_xlabel("epochs trained in the search")
    axes.set_ylabel("best validation accuracy so far\n(drawn by the logarithm of the error)")
    axes.set_title(title, loc="left", fontsize=12, parse_math=False)
    tidy(axes)
    if bands:
        axes.legend(loc="lower right", frameon=True, framealpha=0.9, edgecolor="none")
    return figure


def tidy(axes: Axes, grid: Literal["both", "x", "y"] = "y") -> None:
    """Draw pale grid lines at the ticks of these axes, and remove the frame's top and right."""
    axes.grid(axis=grid, color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=GREY, labelcolor="black")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GREY)


def png_bytes(figure: Figure) -> bytes:
    """Give a figure as a PNG file of 160 dots an inch."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=160, metadata={"Software": f"vlga {__version__}"})
    return file.getvalue()


def svg_text(figure: Figure) -> str:
    """Give a figure as an ``<svg>`` element to put into a page; equal figures give equal text."""
    file = io.StringIO()
    metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with mpl.rc_context({"svg.hashsalt": "vlga", "svg.fonttype": "none"}):
        figure.savefig(file, format="svg", metadata=metadata)
    text = file.getvalue()
    return text[text.index("<svg") :]  # without the XML header, which only a file of its own needs


def scale_by_error(axes: Axes, accuracies: Sequence[float], smallest: float) -> None:
    """Scale the y-axis by the logarithm of 1 - accuracy; better accuracies are higher up.

    Args:
        axes: to scale.
        accuracies: that must be visible.
        smallest: the smallest error, above 0; smaller ones are drawn as if they were this.
    """

    def height(accuracy: Any) -> Any:
        return -np.log10(np.maximum(1 - np.asarray(accuracy), smallest))

    def accuracy(height: Any) -> Any:
        return 1 - 10.0 ** -np.asarray(height)

    axes.set_yscale("function", functions=(height, accuracy))
    low, high = (float(height(end(accuracies, default=0.5))) for end in (min, max))
    margin = max(0.06 * (high - low), 0.02)
    bounds = float(accuracy(low - margin)), float(accuracy(high + margin))
    axes.set_ylim(*bounds)
    ticks = _round_accuracies(*bounds)
    top = 1 - smallest
    if max(accuracies, default=0) > top:  # an accuracy of 1 is drawn at the smallest error
        ticks = [*(tick for tick in ticks if tick < 1 - 1.3 * smallest), top]
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    decimals = max((len(f"{tick:.6g}") - 2 for tick in ticks if tick != top), default=1)
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: "1" if value == top else f"{value:.{max(1, decimals)}f}")
    )
    axes.yaxis.set_minor_locator(NullLocator())


def _drawn(one: Band) -> list[float]:
    """Give the accuracies that must be visible: all but the first tenth of the search.

    There the curves are steep and alike; showing them whole would take half of the picture.
    """
    start = one.epochs[0] + 0.1 * (one.epochs[-1] - one.epochs[0])
    late = [i for i, epochs in enumerate(one.epochs) if epochs >= start]
    first = max(0, late[0] - 1)
    return [*one.low[first:], *one.high[first:]]


def _round_accuracies(low: float, high: float) -> list[float]:
    """Give round accuracies between these bounds as ticks, at least four if possible."""
    for digits in ((1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8), range(10, 100, 2), range(100, 1000, 5)):
        errors = (digit * 10.0**power for power in range(-7, 1) for digit in digits)
        ticks = sorted({round(1 - error, 7) for error in errors if low <= 1 - error <= high})
        if len(ticks) >= 4:
            return ticks
    return ticks
