"""Figures as Plotly takes them."""

from __future__ import annotations

import json
from typing import Any

from plotly.graph_objects import Figure


def valid(figure: dict[str, Any]) -> dict[str, Any]:
    """Give a figure as a page has it, if JSON can hold it and Plotly knows all that it says."""
    read: dict[str, Any] = json.loads(json.dumps(figure, allow_nan=False))
    Figure(read)
    return read
