"""What a shell offers on Tab: searches, presets, data sets, strategies and models by their names.

What it reads for that is quick, and what goes wrong is that nothing is offered.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress

import click
from click.shell_completion import CompletionItem

from vlga.errors import VlgaError

__all__ = [
    "complete_data",
    "complete_networks",
    "complete_presets",
    "complete_searches",
    "complete_settings",
    "complete_strategies",
    "search_argument",
]


def complete_searches(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the searches of the database that the command names so far."""
    return _beginning(incomplete, _searches(context))


def complete_networks(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer known models and searches."""
    from vlga.networks.named import MODELS

    return _beginning(incomplete, [*MODELS, *_searches(context)])


def complete_presets(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the presets that come with vlga."""
    from vlga.config.preset import preset_names

    return _beginning(incomplete, preset_names())


def complete_data(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the data sets that have a name; if none begins so, files and folders."""
    from workers.data.torchvision_files import PUBLISHED

    return _beginning(incomplete, ["digits", *PUBLISHED]) or [
        CompletionItem(incomplete, type="file")
    ]


def complete_settings(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the settings of --set, each with its equals sign."""
    from vlga.config.example import setting_keys

    return _beginning(incomplete, (f"{key}=" for key in setting_keys()))


def complete_strategies(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer a list's next strategy, behind those that it has."""
    from typing import get_args

    from vlga.config.strategies import STUDIES, StrategyName

    given, comma, last = incomplete.rpartition(",")
    left = [one for one in get_args(StrategyName) if one not in {*given.split(","), *STUDIES}]
    return [CompletionItem(f"{given}{comma}{one}") for one in left if one.startswith(last)]


def search_argument(
    name: str, metavar: str = "SEARCH"
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the argument SEARCH, passed on by this name."""
    return click.argument(name, metavar=metavar, shell_complete=complete_searches)


def _searches(context: click.Context) -> list[str]:
    from db.connection.engine import opened
    from db.read.searches import list_searches
    from vlga.cli.options import DEFAULT_DB

    url = context.params.get("db_url") or os.environ.get("VLGA_DB") or DEFAULT_DB
    with suppress(VlgaError, OSError), opened(url) as engine:
        return [row["name"] for row in list_searches(engine)]
    return []


def _beginning(incomplete: str, words: Iterable[str]) -> list[CompletionItem]:
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]
