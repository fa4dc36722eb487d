"""Searches beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from fastapi import Query
from pydantic import StringConstraints

from vlga.report.committee import tested_of
from vlga.report.comparison.summary import difference
from vlga.service.api.rest import NAME_PATTERN, Using, resource
from vlga.service.views import search_view

__all__ = ["router"]

router = resource(404)

_SearchName = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=180)]
Names = Annotated[list[_SearchName], Query(alias="search", min_length=1, max_length=20)]


@router.get("/compare")
def compare(service: Using, names: Names) -> dict[str, Any]:
    """Give searches with the settings that differ, and whether one strategy is better."""
    views = [search_view(service.engine, service.queue, name) for name in dict.fromkeys(names)]
    outcomes = [
        {
            **{key: view[key] for key in ("strategy", "seed", "status")},
            "test_accuracy": tested_of(view)["test_accuracy"],
        }
        for view in views
    ]
    images = {view["data_fingerprint"] for view in views}
    found = difference(outcomes) if len(images) == 1 else None
    keys = ("name", "state", "strategy", "seed", "data", "evaluations", "best", "seconds")
    return {
        "searches": [{key: view[key] for key in keys} for view in views],
        "have_equal_images": len(images) == 1,
        "differing_settings": _differing([view["config"] for view in views]),
        "difference": None if found is None else str(found),
    }


def _differing(configs: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Give the settings that are not equal in all, each with its values."""
    flat = [dict(_flat(config)) for config in configs]
    keys = sorted({key for one in flat for key in one})
    values = {key: [one.get(key) for one in flat] for key in keys}
    return {key: some for key, some in values.items() if any(one != some[0] for one in some)}


def _flat(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value
