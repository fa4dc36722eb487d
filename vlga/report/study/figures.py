"""Figures of a study: how arms differ from plain and learn, which layers were amplified when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vlga.report.figures import (
    MARKERS,
    PALE,
    PALETTE,
    Figure,
    Point,
    axis_of,
    counted_axis,
    figure_of,
    label,
    line,
    points,
    rows_axis,
)
from vlga.report.formats import number_of
from vlga.report.study.summary import ArmResult, LayerHistory

__all__ = ["differences_figure", "layers_figure", "learning_figure"]

_BLUE = PALETTE[0]


def differences_figure(results: Sequence[ArmResult]) -> Figure:
    """Draw each arm's difference from plain, in percentage points, with its standard error.

    Each network and learning rate has a row for its name, and below it one for each of its arms.

    Args:
        results: at least one with a difference; those without are left out.
    """
    some: list[Point] = []
    errors: list[float] = []
    symbols: list[str] = []
    names: list[dict[str, Any]] = []
    group, row = "", 0
    for one in results:
        if one.minus_plain is None:
            continue
        its_group = f"{one.network}, learning rate {one.learning_rate:g}"
        if its_group != group:
            group = its_group
            names.append(_row_name(f"<b>{label(group)}</b>", row))
            row += 1
        names.append(_row_name(label(one.arm), row))
        text = f"{label(group)}<br>{label(one.arm)}<br>{_difference(one)}"
        some.append(Point(100 * one.minus_plain, row, text))
        errors.append(100 * (one.minus_plain_se or 0.0))
        symbols.append("circle" if one.verdict in ("better", "worse") else "circle-open")
        row += 1
    trace = points("minus plain", some, _BLUE, size=10, symbol=symbols)
    trace["marker"]["line"] = {"width": 2, "color": _BLUE}
    trace["error_x"] = {"type": "data", "array": errors, "color": _BLUE, "thickness": 2}
    return figure_of(
        [trace],
        height=80 + 48 * row,
        xaxis=axis_of("percentage points more than plain")
        | {"rangemode": "tozero", "zeroline": True, "zerolinecolor": PALE, "zerolinewidth": 2},
        yaxis=rows_axis([""] * row),
        annotations=names,
    )


def learning_figure(curves: Mapping[str, Sequence[float]]) -> Figure:
    """Draw each arm's validation accuracy, in percent, after each epoch.

    Args:
        curves: by arm, accuracies in [0, 1].
    """
    data = []
    for i, (arm, accuracies) in enumerate(curves.items()):
        some = [
            Point(
                epoch,
                100 * value,
                f"{label(arm)}<br>after {number_of(epoch, 'epoch')}: {value:.2%}",
            )
            for epoch, value in enumerate(accuracies, start=1)
        ]
        data.append(line(arm, some, PALETTE[i % len(PALETTE)], MARKERS[i % len(MARKERS)]))
    end = max((len(one) for one in curves.values()), default=1)
    return figure_of(
        data,
        xaxis=counted_axis("epochs trained", 0.5, end + 0.5),
        yaxis=axis_of("validation accuracy in percent"),
        showlegend=True,
    )


def layers_figure(histories: Sequence[LayerHistory]) -> Figure:
    """Draw an arm's layers over its epochs as two maps: G on top, amplified below.

    The map of G is left out if it was not measured in any epoch.

    Args:
        histories: at least one, all with the same number of epochs.
    """
    layers = [one.layer for one in histories]
    maps: list[tuple[str, Sequence[Sequence[float | None]], Any]] = [
        ("G, mean over the seeds", [one.measures for one in histories], "Cividis"),
        (
            "amplified, share of the seeds",
            [one.chosen for one in histories],
            [[0, f"{_BLUE}11"], [1, _BLUE]],
        ),
    ]
    if all(value is None for one in histories for value in one.measures):
        maps = maps[1:]
    data, titles, axes = [], [], {}
    height = 30 + 22 * len(layers)  # of a map: a line for its title, then its rows
    for i, (title, values, colours) in enumerate(maps):
        number = str(i + 1) if i else ""
        bottom = 1 - (i + 1) / len(maps)
        top = bottom + (height - 30) / height / len(maps)
        axes[f"yaxis{number}"] = {**rows_axis(layers), "domain": [bottom, top]}
        titles.append(
            {
                "text": title,
                "xref": "paper",
                "yref": "paper",
                "x": 0,
                "y": top,
                "xanchor": "left",
                "yanchor": "bottom",
                "showarrow": False,
            }
        )
        data.append(
            {
                **_heatmap(title, layers, values),
                "yaxis": f"y{number}",
                "colorscale": colours,
                "colorbar": {
                    "thickness": 10,
                    "len": top - bottom,
                    "y": bottom,
                    "yanchor": "bottom",
                    "tickvals": [0, 0.5, 1],
                    "outlinewidth": 0,
                },
            }
        )
    n_epochs = len(histories[0].chosen)
    xaxis = counted_axis("epoch", 0.5, n_epochs + 0.5) | {"anchor": data[-1]["yaxis"]}
    return figure_of(
        data,
        height=60 + len(maps) * height,
        xaxis=xaxis | {"showgrid": False},
        annotations=titles,
        **axes,
    )


def _row_name(text: str, row: int) -> dict[str, Any]:
    """Write a name at the left of a row, above what is drawn there."""
    place = {"x": 0, "y": row, "xref": "paper", "xanchor": "left", "yanchor": "bottom", "yshift": 5}
    return {"text": text, "align": "left", "showarrow": False, **place}


def _difference(one: ArmResult) -> str:
    spread = "" if one.minus_plain_se is None else f" ± {100 * one.minus_plain_se:.2f}"
    text = f"{100 * (one.minus_plain or 0.0):+.2f}{spread} percentage points"
    return f"{text}<br>{one.verdict}" if one.verdict else text


def _heatmap(
    title: str, layers: Sequence[str], values: Sequence[Sequence[float | None]]
) -> dict[str, Any]:
    """Draw a row of squares for each layer; without a value there is none."""
    return {
        "type": "heatmap",
        "x": [*range(1, len(values[0]) + 1)],
        "z": [list(row) for row in values],
        "zmin": 0,
        "zmax": 1,
        "xgap": 1,
        "ygap": 1,
        "hoverinfo": "text",
        "hoverongaps": False,
        "hovertext": [
            [
                "" if value is None else f"{label(layer)}, epoch {epoch}<br>{title}: {value:.2f}"
                for epoch, value in enumerate(row, start=1)
            ]
            for layer, row in zip(layers, values, strict=True)
        ],
    }
