"""The configuration of a search: where its settings come from, and what is wrong with them.

Settings come from a preset, then a TOML file, then ``--set key=value``; later ones replace earlier
ones. A mistake is a `ConfigError` of one line: where, the rule, the value, the way out.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from vlga.config.preset import preset_names
from vlga.config.settings import AUTO, SearchConfig
from vlga.errors import ConfigError, nearest, plain, shown

__all__ = ["load_config", "parse_config", "preset_text"]

#: A list whose strings need no quotes.
_BARE_WORDS = re.compile(r"\[\s*[\w.-]+\s*(,\s*[\w.-]+\s*)*\]")


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
    unused: Mapping[str, str] | None = None,
) -> SearchConfig:
    """Put a configuration together from a preset, a file, ``key=value`` settings and overrides.

    Args:
        preset: name of a preset.
        file: a TOML file whose settings replace the preset's.
        drop: tables whose settings in preset and file are ignored.
        settings: ``dotted.key=value``, the value in TOML's form; a bare word is a string, in a list
            too.
        overrides: dotted keys to values, for options of the command line; None means not given.
        defaults: dotted keys to values; they replace the preset's, and the file's replace them.
        unused: tables that would be ignored, to what to do instead; refused if a value in them is
            another than the preset's.

    Raises:
        ConfigError: the file cannot be read or is not TOML; a setting has no ``=``; a key is
            unknown or unused; a value has the wrong type or is out of range; settings contradict
            each other.
    """
    tree = tomllib.loads(preset_text(preset))
    for key, value in (defaults or {}).items():
        _assign(tree, key, value)
    usual = parse_config(tree) if unused else None
    if file is not None:
        _merge(tree, _read_toml(file))
    for table in drop:
        tree.pop(table, None)
    _apply(tree, settings, overrides or {})
    if usual is None:
        return parse_config(tree)
    _refuse_changes(usual, tree, unused or {}, "")  # before the rules of another strategy apply
    config = parse_config(tree)
    _refuse_changes(usual, config, unused or {}, "")
    return config


def parse_config(tree: Mapping[str, Any]) -> SearchConfig:
    """Check a tree of settings. Raises `ConfigError` for the first mistake.

    Settings that are ``auto`` have their defaults for the time being, and stand in `auto`.
    """
    _require_plain(tree)
    try:
        return SearchConfig.model_validate(_without_auto(tree))
    except ValidationError as error:
        raise ConfigError(_explain(error)) from error


def _without_auto(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Give a tree in which those settings that may be auto and are stand in `auto` alone."""
    rest, found = {**tree}, []
    for key in AUTO:
        table, name = key.split(".")
        settings = rest.get(table)
        if isinstance(settings, Mapping) and settings.get(name) == "auto":
            rest[table] = {other: value for other, value in settings.items() if other != name}
            found.append(key)
    named = rest.get("auto", [])
    return {**rest, "auto": [*named, *found]} if found and isinstance(named, list) else rest


def _apply(tree: dict[str, Any], settings: Sequence[str], overrides: Mapping[str, Any]) -> None:
    """Put ``key=value`` settings, then overrides that are not None, into a tree."""
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"--set must be key=value, but got {shown(setting)}")
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
    except RecursionError:
        raise ConfigError(
            f"the configuration file must be TOML, but {str(file)!r} is nested too deeply"
        ) from None
    except ValueError as error:  # no TOML, no UTF-8, or a number of thousands of digits
        raise ConfigError(
            f"the configuration file must be TOML, but {str(file)!r} is not: {error}"
        ) from error


def _value(text: str) -> Any:
    """Read a value in TOML's form; a list may have bare words, and what is not TOML is a string."""
    try:
        tree = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        if _BARE_WORDS.fullmatch(text):
            return [_value(word.strip()) for word in text[1:-1].split(",")]
        return text
    if len(tree) > 1:
        raise ConfigError(f"--set must be one setting, but got more lines of TOML: {shown(text)}")
    return tree["value"]


def _assign(tree: dict[str, Any], key: str, value: Any) -> None:
    *tables, name = key.split(".")
    for table in tables:
        tree = tree.setdefault(table, {})
        if not isinstance(tree, dict):
            raise ConfigError(f"--set {key} must name a setting, but {table!r} is not a table")
    tree[name] = copy.deepcopy(value)  # what is set next may lie within it


def _refuse_changes(usual: BaseModel, given: Any, unused: Mapping[str, str], table: str) -> None:
    """Refuse settings of a table, or of a tree of them, that differ from the usual ones."""
    tree = given if isinstance(given, dict) else dict(given)
    for name, instead in unused.items():
        old = getattr(usual, name)
        new = tree.get(name, old)
        if isinstance(new, BaseModel):
            _refuse_changes(old, new, dict.fromkeys(type(new).model_fields, instead), name)
        elif new != old and not isinstance(old, BaseModel):
            where = f"[{table}] {name}" if table else name
            raise ConfigError(
                f"{where} would be ignored here, but got {name}={shown(new)}: {instead}"
            )


def _require_plain(value: Any, path: str = "") -> None:
    """Refuse what no database, file system or terminal takes, wherever it stands in a tree."""
    if isinstance(value, dict):
        for name, one in value.items():
            if name != plain(name):
                raise ConfigError(f"{shown(name)} is not a setting")
            _require_plain(one, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for one in value:
            _require_plain(one, path)
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ConfigError(f"{_where(path)} must fit in 64 bits, but got {shown(value)}")
    elif isinstance(value, str) and value != plain(value):
        raise ConfigError(
            f"{_where(path)} must be text without control characters, but got {shown(value)}"
        )


def _where(path: str) -> str:
    """Give a dotted key as messages do: ``[table] key``."""
    table, _, name = path.rpartition(".")
    return f"[{table}] {name}" if table else name


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
    *tables, name = _keys(first["loc"])
    where = f"[{'.'.join(tables)}] " if tables else ""
    if first["type"] == "extra_forbidden":
        return f"{where}{shown(name)} is not a setting{nearest(name, _known_keys(tables))}"
    if first["type"] == "missing":
        return f"{where}{name} must be set, but it is missing"
    got = f"but got {name}={shown(first['input'])}"
    if first["type"] in ("model_type", "dict_type"):
        return f"{where}{name} must be a table of settings, {got}"
    rule = first["msg"].removeprefix("Input should be ")
    return f"{where}{name} must be {rule}, {got}"


def _keys(loc: Sequence[int | str]) -> list[str]:
    """Give where a mistake is; an item of a list as ``learning_rates[0]``, not as a key."""
    keys: list[str] = []
    for part in loc:
        if isinstance(part, int):
            keys[-1] += f"[{part}]"
        else:
            keys.append(part)
    return keys


def _known_keys(tables: Sequence[str]) -> tuple[str, ...]:
    model: Any = SearchConfig
    for table in tables:
        name, is_item, _ = table.partition("[")
        model = model.model_fields[name].annotation
        if is_item:
            (model,) = get_args(model)
    return tuple(model.model_fields)
