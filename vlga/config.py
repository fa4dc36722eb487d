"""The configuration of a search: where its settings come from, and what is wrong with them.

Settings come from a preset, then a TOML file, then ``--set key=value``, each over the one before.
A mistake is one `ConfigError` in one line: where, the rule, the value, the way out.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vlga.errors import ConfigError, nearest
from vlga.settings import SearchConfig

__all__ = ["change_config", "load_config", "parse_config", "preset_names", "preset_text"]

#: Settings and tables that a search that has begun may change, since nothing recorded depends on
#: them.
_FREE = (
    "budget",
    "final",
    "limits.evaluation_seconds",
    "limits.max_failures_in_a_row",
    "limits.weight_files",
    "workers",
)
#: What depends on the others.
_WHY_FIXED = {
    "seed": "its candidates and their trainings were drawn with it",
    "data": "fitnesses on other images do not compare",
    "population.generations": "its first phase is over, or has more behind it",
    "training": "its fitnesses are of trainings as they were",
    "limits": "its networks were made to fit in them",
    "budget.phases": "with limits on networks, each phase was given its share of them",
    "study": "its trials are numbered by it",
}


def preset_names() -> tuple[str, ...]:
    """Give the names of the presets that come with vlga."""
    folder = resources.files("vlga") / "presets"
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
    return (resources.files("vlga") / "presets" / f"{name}.toml").read_text(encoding="utf-8")


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
        drop: tables of which nothing in preset and file counts.
        settings: ``dotted.key=value``, the value in TOML's form; a bare word is a string.
        overrides: dotted keys to values, for options of the command line; None means not given.
        defaults: dotted keys to values, over the preset's and under the file's.

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


def change_config(
    config: SearchConfig,
    *,
    settings: Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
    reached: tuple[int, int] = (0, 0),
) -> SearchConfig:
    """Change the configuration of a search that has begun.

    Args:
        config: that it has.
        reached: phase and generation of its last candidate.
        settings: as for `load_config`.
        overrides: as for `load_config`.

    Raises:
        ConfigError: as for `load_config`; or what is recorded would be another search's.
    """
    before = config.model_dump(mode="json")
    tree = deepcopy(before)
    _apply(tree, settings, overrides or {})
    changed = parse_config(tree)
    for key, value in _changes(before, changed.model_dump(mode="json")):
        if key == "population.generations" and reached[0] == 0 and value > reached[1]:
            continue  # the first phase may still become longer or shorter
        why = _why_fixed(key, config)
        if why is not None:
            raise ConfigError(
                f"--set {key} must stay as it is in a search that has begun, but got {value!r}: "
                f"{why}; change {', '.join(_FREE)}, or start another search"
            )
    return changed


def _why_fixed(key: str, config: SearchConfig) -> str | None:
    """Say why a setting may not change once a search has begun; None if it may."""
    table = key.partition(".")[0]
    limits = config.limits
    if key == "budget.phases" and (limits.max_macs or limits.max_activation_bytes):
        return _WHY_FIXED[key]
    if table in _FREE or key in _FREE:
        return None
    return _WHY_FIXED.get(key) or _WHY_FIXED.get(table, "its candidates were made with it")


def _changes(
    before: Mapping[str, Any], after: Mapping[str, Any], path: str = ""
) -> Iterator[tuple[str, Any]]:
    """Give every dotted key whose value has changed, with the new value."""
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _changes(old, new, f"{path}{name}.")
        elif old != new:
            yield f"{path}{name}", new


def parse_config(tree: Mapping[str, Any]) -> SearchConfig:
    """Check a tree of settings. Raises `ConfigError` for the first mistake."""
    try:
        return SearchConfig.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(_explain(error)) from error


def _apply(tree: dict[str, Any], settings: Sequence[str], overrides: Mapping[str, Any]) -> None:
    """Put ``key=value`` settings, then values that are given, into a tree."""
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
    """Say the first mistake in one line."""
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
