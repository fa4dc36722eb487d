"""The form of a new search, made from the settings' JSON schema; and what somebody filled in."""

from __future__ import annotations

import json
import math
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from vlga.config.example import toml_value
from vlga.config.load import load_config, preset_text
from vlga.config.settings import SearchConfig
from vlga.errors import ConfigError, shown
from vlga.service.pages.rendering import Form

__all__ = [
    "Field",
    "Group",
    "as_command",
    "as_curl",
    "as_toml",
    "filled_in",
    "groups",
    "prefilled",
    "tree_of",
]

#: Refused over HTTP, asked for above the groups, or only for studies.
_LEFT_OUT = {
    "auto", "study", "tracking", "seed", "strategy", "data.dir", "data.name", "budget.seconds",
    "workers.address", "workers.inline",
}  # fmt: skip
#: Too long for a field where they are chosen by the search.
_NOT_COPIED = {"population.founders"}
#: Of a form, but no settings.
_OTHER = {"name", "minutes", "priority", "like"}
#: Text, whatever it looks like.
_TEXTS = {"data.name", "strategy"}
_TITLES = {"space": "Genes that may be chosen", "final": "Final training"}
_ABOUT_SPACE = "The alleles of each gene, as TOML; one alone fixes the gene."


@dataclass(frozen=True, slots=True)
class Field:
    """A setting that can be filled in.

    Attributes:
        key: dotted.
        about: what it means; may be empty.
        usual: its value if nothing is filled in, as text.
        choices: what it can be, or empty for anything.
        rules: attributes of a number's field in HTML; empty for text.
    """

    key: str
    about: str
    usual: str
    choices: tuple[str, ...] = ()
    rules: Mapping[str, str] | None = None

    @property
    def label(self) -> str:
        """Its name for people."""
        return self.key.rpartition(".")[2].replace("_", " ")


@dataclass(frozen=True, slots=True)
class Group:
    """Settings of one table, or those of none."""

    title: str
    about: str
    fields: tuple[Field, ...]


@cache
def groups() -> tuple[Group, ...]:
    """Give all settings but those on top of the form, table by table."""
    schema = SearchConfig.model_json_schema()
    usual = _usual()
    goal = tuple(
        _field(key, rule, usual)
        for key, rule in schema["properties"].items()
        if "$ref" not in rule and key not in _LEFT_OUT
    )
    found = [Group("Goal", "What makes a network a good one.", goal)]
    for table, rule in schema["properties"].items():
        name = rule.get("$ref", "").rpartition("/")[2]
        if not name or table in _LEFT_OUT or table == "space":
            continue
        about = schema["$defs"][name]["description"].partition("\n")[0].replace("`", "")
        fields = [
            _field(f"{table}.{key}", one, usual)
            for key, one in schema["$defs"][name]["properties"].items()
            if f"{table}.{key}" not in _LEFT_OUT
        ]
        found.append(Group(_TITLES.get(table, table.capitalize()), about, tuple(fields)))
    genes = tuple(Field(key, "", text) for key, text in usual.items() if key.startswith("space."))
    return *found, Group(_TITLES["space"], _ABOUT_SPACE, genes)


def filled_in(form: Form) -> dict[str, Any]:
    """Give the settings of a form that are filled in, by dotted key, with their values.

    Raises:
        ConfigError: the minutes are no number above 0.
    """
    found: dict[str, Any] = {}
    for key, values in form.items():
        text = values[-1].strip()
        if key == "minutes":
            found["budget.seconds"] = _seconds(text)
        elif key not in _OTHER and text:
            found[key] = text if key in _TEXTS else _value(text)
    return found


def prefilled(settings: Mapping[str, Any]) -> dict[str, str]:
    """Give the text of each field for a search like one with these settings, a tree.

    What is as usual is left out. Settings that are not in the form are left out too.
    """
    usual = _usual()
    auto = settings.get("auto", [])
    given = dict(_flat(settings))
    given |= dict.fromkeys(auto, "auto")
    seconds = given.get("budget.seconds")
    texts = {
        key: text
        for key, value in given.items()
        if key not in _NOT_COPIED and value not in (None, "none")
        if (text := _text(value)) != usual.get(key)
        if key not in _LEFT_OUT or key in ("data.name", "strategy", "seed")
    }
    return {**texts, "minutes": "" if seconds in (None, "none") else f"{seconds / 60:g}"}


def tree_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give settings by dotted key as a tree."""
    tree: dict[str, Any] = {}
    for key, value in settings.items():
        *tables, name = key.split(".")
        inner = tree
        for table in tables:
            inner = inner.setdefault(table, {})
            if not isinstance(inner, dict):
                raise ConfigError(f"{key} must name a setting, but {table!r} is not a table")
        inner[name] = value
    return tree


def as_toml(settings: Mapping[str, Any]) -> str:
    """Give settings by dotted key as a file for ``vlga search``."""
    tables: dict[str, list[str]] = {}
    for key, value in settings.items():
        table, _, name = key.rpartition(".")
        tables.setdefault(table, []).append(f"{name} = {toml_value(value)}")
    alone = tables.pop("", [])
    return "\n\n".join(
        filter(None, ["\n".join(alone), *("\n".join([f"[{t}]", *ls]) for t, ls in tables.items())])
    )


def as_command(settings: Mapping[str, Any], name: str) -> str:
    """Give the command that starts the same search in a terminal."""
    parts = [f"vlga search{f' --name {shlex.quote(name)}' if name else ''}"]
    parts += [
        f"--set {shlex.quote(f'{key}={value if isinstance(value, str) else toml_value(value)}')}"
        for key, value in settings.items()
    ]
    return " \\\n  ".join(parts)


def as_curl(settings: Mapping[str, Any], name: str, host: str) -> str:
    """Give the command that starts the same search over HTTP.

    Args:
        settings: by dotted key.
        name: of the search, or empty.
        host: address of this service, such as ``http://127.0.0.1:8642``.
    """
    body = {**({"name": name} if name else {}), "settings": tree_of(settings)}
    return (
        f"curl {shlex.quote(host + '/api/v1/searches')} \\\n"
        '  -H "Authorization: Bearer $VLGA_TOKEN" -H "Content-Type: application/json" \\\n'
        f"  -d {shlex.quote(json.dumps(body, ensure_ascii=False))}"
    )


@cache
def _usual() -> dict[str, str]:
    """Give what each setting is if nothing is filled in, as text; empty if it is not set."""
    config = load_config()
    tree = config.model_dump(mode="json")
    tree["space"] = tomllib.loads(preset_text("default"))["space"]
    found = {key: _text(value) for key, value in _flat(tree)}
    return found | dict.fromkeys(config.auto, "auto")


def _flat(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Give the settings of a tree by dotted key; the alleles of a gene are one."""
    for key, value in tree.items():
        where = f"{path}{key}"
        if isinstance(value, Mapping) and where.count(".") < (2 if path.startswith("space") else 1):
            yield from _flat(value, f"{where}.")
        else:
            yield where, value


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else toml_value(value)


def _field(key: str, rule: Mapping[str, Any], usual: Mapping[str, str]) -> Field:
    """Make the field of a setting from its schema."""
    kinds = rule.get("anyOf", [rule])
    about, text = rule.get("description", ""), usual.get(key, "")
    words = [word for kind in kinds for word in kind.get("enum", [])]
    if words and all(isinstance(word, str) for word in words) and len(kinds) <= 2:
        return Field(key, about, text, tuple(words))
    types = {kind.get("type") for kind in kinds} - {"null"}
    if types == {"boolean"}:
        return Field(key, about, text, ("true", "false"))
    number = next((kind for kind in kinds if kind.get("type") in ("integer", "number")), None)
    if number is not None and types <= {"integer", "number"}:
        return Field(key, about, text, rules=_number_rules(number))
    return Field(key, about, text)


def _number_rules(rule: Mapping[str, Any]) -> dict[str, str]:
    rules = {"step": "1" if rule["type"] == "integer" else "any"}
    bounds = {"min": "minimum", "max": "maximum"}
    return rules | {name: str(rule[key]) for name, key in bounds.items() if key in rule}


def _seconds(text: str) -> Any:
    """Read minutes; none of them is no limit."""
    if not text:
        return "none"
    try:
        seconds = 60 * float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ConfigError(f"minutes must be a number above 0, but got {shown(text)}")
    return round(seconds, 3)


def _value(text: str) -> Any:
    """Read a value in TOML's form; what is not TOML is a string."""
    try:
        tree = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return tree["value"] if len(tree) == 1 else text
