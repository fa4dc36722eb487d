"""The configuration of a search: where its settings come from, and what is wrong with them.

Settings come from a preset, then a TOML file, then ``--set key=value``; later ones replace earlier
ones. A mistake is a `ConfigError` of one line: where, the rule, the value, the way out.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vlga.config.settings import SearchConfig
from vlga.errors import ConfigError, nearest

__all__ = ["load_config", "parse_config", "preset_names", "preset_text"]


def preset_names() -> tuple[str, ...]:
    """Give the names of the presets that come with vlga."""
    folder = resources.files("vlga.config") / "presets"
    return tuple(
        sorted(Path(entry.name).stem for entry in folder.iterdir() if entry.name.endswith(".toml"))
    )


def preset_text(name: str) -> str:
    """Give a preset's TOML.

    Raises:
        ConfigError: no such preset.
    """
    if name not in preset_names():
        raise ConfigError(
            f"--preset must be a known preset, but got {name!r}{nearest(name, preset_names())}"
        )
    return (resources.files("vlga.config") / "presets" / f"{name}.toml").read_text(encoding="utf-8")


def load_config(
    *,
    preset: str = "default",
    file: Path | None = None,
    drop: Sequence[str] = (),
    settings: Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> SearchConfig:
    """Put a configuration together from a preset, a file, ``key=value`` settings and overrides.

    Args:
        preset: name of a preset.
        file: a TOML file whose settings replace the preset's.
        drop: tables whose settings in preset and file are ignored.
        settings: ``dotted.key=value``, the value in TOML's form; a bare word is a string.
        overrides: dotted keys to values, for options of the command line; None means not given.
        defaults: dotted keys to values; they replace the preset's, and the file's replace them.

    Raises:
        ConfigError: the file cannot be read or is not TOML; a setting has no ``=``; a key is
            unknown; a value has the wrong type or is out of range; settings contradict each other.
    """
    tree = tomllib.loads(preset_text(preset))
    for key, value in (defaults or {}).items():
        _assign(tree, key, value)
    if file is not None:
        _merge(tree, _read_toml(file))
    for table in drop:
        tree.pop(table, None)
    _apply(tree, settings, overrides or {})
    return parse_config(tree)


def parse_config(tree: Mapping[str, Any]) -> SearchConfig:
    """Check a tree of settings. Raises `ConfigError` for the first mistake."""
    try:
        return SearchConfig.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(_explain(error)) from error


def _apply(tree: dict[str, Any], settings: Sequence[str], overrides: Mapping[str, Any]) -> None:
    """Put ``key=value`` settings, then overrides that are not None, into a tree."""
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"--set must be key=value, but got {setting!r}")
        _assign(tree, key.strip(), _value(text.strip()))
    for key, value in overrides.items():
        if value is not None:
            _assign(tree, key, value)


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"the configuration file must be readable, but {str(file)!r} is not: {error.strerror}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the configuration file must be TOML, but {str(file)!r} is not: {error}"
        ) from error


def _value(text: str) -> Any:
    """Read a value in TOML's form; what is not TOML is a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _assign(tree: dict[str, Any], key: str, value: Any) -> None:
    *tables, name = key.split(".")
    for table in tables:
        tree = tree.setdefault(table, {})
        if not isinstance(tree, dict):
            raise ConfigError(f"--set {key} must name a setting, but {table!r} is not a table")
    tree[name] = value


def _merge(tree: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(tree.get(key), dict):
            _merge(tree[key], value)
        else:
            tree[key] = value


def _explain(error: ValidationError) -> str:
    """Describe the first mistake in one line."""
    first = error.errors(include_url=False)[0]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, ConfigError):
        return str(cause)
    *tables, name = (str(part) for part in first["loc"])
    where = f"[{'.'.join(tables)}] " if tables else ""
    if first["type"] == "extra_forbidden":
        return f"{where}{name!r} is not a setting{nearest(name, _known_keys(tables))}"
    if first["type"] == "missing":
        return f"{where}{name} must be set, but it is missing"
    if first["type"] in ("model_type", "dict_type"):
        return f"{where}{name} must be a table of settings, but got {name}={first['input']!r}"
    rule = first["msg"].removeprefix("Input should be ")
    return f"{where}{name} must be {rule}, but got {name}={first['input']!r}"


def _known_keys(tables: Sequence[str]) -> tuple[str, ...]:
    model: Any = SearchConfig
    for table in tables:
        model = model.model_fields[table].annotation
    return tuple(model.model_fields)
