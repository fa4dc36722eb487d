"""The presets' names, known without loading the settings."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

__all__ = ["preset_names"]


def preset_names() -> tuple[str, ...]:
    """Give the names of the presets that come with vlga."""
    folder = resources.files("vlga.config") / "presets"
    return tuple(
        sorted(Path(entry.name).stem for entry in folder.iterdir() if entry.name.endswith(".toml"))
    )
