"""What Prometheus would read of a search from the pages of a cluster's machines."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterable

from prometheus_client.parser import text_string_to_metric_families

__all__ = ["measured"]

#: By a sample's name and those of its labels that are neither `search` nor added by Ray.
Samples = dict[tuple[str, ...], float]

_LABELS = ("le", "outcome", "reason")


def measured(pages: Iterable[str], search: str) -> Samples:
    """Give vlga's samples of a search, those of several processes added up."""
    found: Samples = {}
    for page in pages:
        with urllib.request.urlopen(page, timeout=10) as answer:
            text = answer.read().decode()
        for family in text_string_to_metric_families(text):
            for one in family.samples:
                if one.name.startswith("ray_vlga_") and one.labels.get("search") == search:
                    labels = [one.labels[label] for label in _LABELS if label in one.labels]
                    key = (one.name.removeprefix("ray_"), *labels)
                    found[key] = found.get(key, 0) + one.value
    return found
