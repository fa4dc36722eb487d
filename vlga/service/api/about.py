"""What a client must know before it asks: versions, limits, settings, presets and data sets."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

from fastapi import Request

from vlga import __version__
from vlga.config.load import preset_text
from vlga.config.preset import preset_names
from vlga.config.settings import SearchConfig
from vlga.ports.state import State
from vlga.service.api.rest import Items, Using, resource
from vlga.service.guards import MOST_BODY_BYTES
from vlga.service.submitted import roots_content

__all__ = ["router"]

router = resource()


@router.get("/")
def about(request: Request, service: Using) -> dict[str, Any]:
    """Give the version, the token that asks, and limits."""
    token = request.state.token
    return {
        "version": __version__,
        "token": {"name": token.name, "scope": token.scope},
        "states": [*State],
        "limits": {
            "body_bytes": MOST_BODY_BYTES,
            "page_items": 1000,
            "waiting_searches": service.options.n_waiting,
            "streams": service.options.n_streams,
        },
    }


@router.get("/presets")
def presets() -> Items:
    """Give the presets: settings to start from."""
    rows = [{"name": name, "settings": tomllib.loads(preset_text(name))} for name in preset_names()]
    return Items(items=rows, next=None)


@router.get("/settings-schema")
def settings_schema() -> dict[str, Any]:
    """Give the JSON schema of all settings."""
    return _schema()


@router.get("/datasets")
def datasets(service: Using) -> Items:
    """Give the images that a search may have: known data sets, and what `--data` has."""
    from workers.data.known import known_datasets

    known = [
        {
            "name": one.name,
            "input_shape": [*one.input_shape],
            "classes": one.n_classes,
            "images": {"train": one.n_train, "test": one.n_test},
            "is_here": one.built_in or one.path is not None,
        }
        for one in known_datasets(None)
    ]
    own = [
        {"name": str(one), "input_shape": None, "classes": None, "images": None, "is_here": True}
        for one in roots_content(service)
    ]
    return Items(items=[*known, *own], next=None)


@cache
def _schema() -> dict[str, Any]:
    return SearchConfig.model_json_schema()
