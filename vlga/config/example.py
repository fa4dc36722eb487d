"""An example configuration: every setting with its value in a preset, explained."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from vlga.config.load import load_config, preset_text

__all__ = ["example_toml", "setting_keys", "toml_value"]

#: Values for settings that are not set, which a person may take as they are.
_EXAMPLES: dict[str, Any] = {
    "data.dir": "torchvision_files",
    "data.train_limit": 10_000,
    "final.average_mirrored": False,
    "population.max_blocks": 6,
    "training.base_batch_size": 1024,
    "budget.evaluations": 500,
    "budget.epochs": 5_000,
    "budget.seconds": 28_800.0,
    "budget.phases": 10,
    "limits.max_macs": 600_000_000,
    "limits.max_activation_bytes": 60_000_000,
    "limits.latency_ms": 5.0,
    "limits.evaluation_seconds": 600.0,
    "tracking.tensorboard": "runs",
    "tracking.mlflow": "http://localhost:5000",
    "workers.address": "10.0.0.1:6379",
    "workers.workers": 4,
}


def example_toml(preset: str = "default") -> str:
    """Give a whole configuration as TOML, each setting explained.

    Raises:
        ConfigError: no such preset.
    """
    space = tomllib.loads(preset_text(preset))["space"]
    config = load_config(preset=preset)
    lines = [
        f"# A configuration for `vlga search CONFIG.toml`, with the values of preset {preset!r}.",
        "# A setting that you leave out keeps the preset's value; one behind a # is not set.",
        '# The word "none" unsets one that the preset has set, such as seconds = "none".',
        "",
        *_table(config, (), config.auto),
        "",
        "# Alleles of each gene: what the search may choose from. One allele fixes a gene.",
        *_space(space),
    ]
    return "\n".join(lines)


def setting_keys() -> Iterator[str]:
    """Give the dotted key of every setting that has a value of its own, and every gene's."""
    yield from _keys(load_config(), ())
    for table, genes in tomllib.loads(preset_text("default"))["space"].items():
        yield from (f"space.{table}.{gene}" for gene in genes)


def _keys(settings: BaseModel, path: tuple[str, ...]) -> Iterator[str]:
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if name in ("space", "auto"):
            continue
        if isinstance(value, BaseModel):
            yield from _keys(value, (*path, name))
        else:
            yield ".".join((*path, name))


def _table(settings: BaseModel, path: tuple[str, ...], auto: Sequence[str]) -> list[str]:
    """Give a table's settings, then its tables, without the space."""
    lines, tables = [], []
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if name in ("space", "auto"):
            continue
        if ".".join((*path, name)) in auto:
            value = "auto"
        if isinstance(value, BaseModel):
            about = (type(value).__doc__ or "").splitlines()[0].replace("`", "")
            header = ".".join((*path, name))
            tables += ["", f"# {about}", f"[{header}]", *_table(value, (*path, name), auto)]
            continue
        comment = f"  # {field.description}" if field.description else ""
        # TOML has no null: a setting that is not set is a comment, with a value that it may have.
        hidden = "# " if value is None else ""
        shown = _EXAMPLES[".".join((*path, name))] if value is None else value
        lines.append(f"{hidden}{name} = {toml_value(shown)}{comment}")
    return lines + tables


def _space(space: Mapping[str, Any]) -> list[str]:
    lines = []
    for table, genes in space.items():
        lines += [
            f"[space.{table}]",
            *(f"{gene} = {toml_value(alleles)}" for gene, alleles in genes.items()),
            "",
        ]
    return lines


def toml_value(value: Any) -> str:
    """Give a value as TOML: bools, numbers and strings as in JSON, tables inline."""
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_none=True)
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key} = {toml_value(one)}" for key, one in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml_value, value))}]"
    return json.dumps(value)
