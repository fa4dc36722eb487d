"""The settings that somebody submits, checked: of a kind that a service may run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vlga.config.load import load_config
from vlga.config.settings import SearchConfig
from vlga.config.strategies import STUDIES
from vlga.errors import ConfigError, DataError, shown
from vlga.service.context import Service

__all__ = ["as_changes", "flat", "known_data", "read_settings", "roots_content"]

#: Settings that are the service's own: whoever sets them has its process connect somewhere, or
#: train in it, or read where no images are.
_OWN = {
    "workers.address": "trainings run where `vlga serve --address` says",
    "workers.inline": "trainings run on workers",
    "tracking.tensorboard": "its files are on this machine",
    "tracking.mlflow": "it may be asked by this machine alone",
    "data.dir": "published data sets are where VLGA_DATA says",
}
_MOST_NESTED = 20
_N_NAMED = 20


def read_settings(
    service: Service, settings: Mapping[str, Any], *, preset: str = "default"
) -> SearchConfig:
    """Give the configuration of a search that somebody submits.

    Args:
        service: that is to run it.
        settings: dotted keys to values, or a tree, or some of both; None means not given.
        preset: whose settings these replace.

    Raises:
        ConfigError: a mistake in the settings; or one is the service's own, or for a study.
        DataError: the images are none that this service has.
    """
    config = load_config(preset=preset, overrides=flat(settings))
    _refuse_own(config.model_dump(mode="json"))
    if config.strategy in STUDIES:
        raise ConfigError(
            f"strategy must be one that searches, but got {config.strategy!r}, of a study; "
            "studies are run by vlga train"
        )
    data = config.data.model_copy(update={"name": _allowed_data(service, config.data.name)})
    return config.model_copy(update={"data": data})


def flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give settings by dotted key. Raises `ConfigError` for a tree that is nested too deeply."""
    return dict(_flat(settings, "", 0))


def as_changes(settings: Mapping[str, Any]) -> list[str]:
    """Give settings as ``dotted.key=value``, the value in TOML's form.

    Raises:
        ConfigError: one is the service's own, or has no value.
    """
    values = flat(settings)
    for key, value in values.items():
        if key in _OWN or key == "workers":
            raise _own(key, value)
        if value is None:
            raise ConfigError(f"{key} must have a value to be changed, but got null; leave it out")
    return [f"{key}={_toml(value)}" for key, value in values.items()]


def known_data() -> tuple[str, ...]:
    """Give the names of data sets that need no path."""
    from workers.data.torchvision_files import PUBLISHED

    return ("digits", *PUBLISHED)


def roots_content(service: Service) -> list[Path]:
    """Give what lies in the service's folders of images: archives, and folders."""
    found = []
    for root in service.roots:
        try:
            entries = sorted(root.iterdir())
        except OSError:
            continue
        found += [
            one
            for one in entries
            if not one.name.startswith(".") and (one.suffix == ".npz" or one.is_dir())
        ]
    return found


def _flat(settings: Mapping[str, Any], path: str, depth: int) -> Iterator[tuple[str, Any]]:
    if depth > _MOST_NESTED:
        raise ConfigError(f"settings must be nested at most {_MOST_NESTED} deep, but are deeper")
    for key, value in settings.items():
        if not isinstance(key, str) or not all(key.split(".")):
            raise ConfigError(f"{shown(key)} is not a setting; see GET /api/v1/settings-schema")
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{key}.", depth + 1)
        else:
            yield f"{path}{key}", value


def _refuse_own(tree: Mapping[str, Any]) -> None:
    for key in _OWN:
        table, name = key.split(".")
        if tree[table][name]:
            raise _own(key, tree[table][name])


def _own(key: str, value: Any) -> ConfigError:
    table, _, name = key.rpartition(".")
    where = f"[{table}] {name}" if table else name
    why = _OWN.get(key, "of the workers, single settings may change")
    return ConfigError(
        f"{where} must be left to the service, but got {name}={shown(value)}: {why}; leave it out"
    )


def _allowed_data(service: Service, name: str) -> str:
    """Give the name of a known data set, or the absolute path of one below the roots.

    Whether there is something anywhere else is not told.

    Raises:
        DataError: it is neither.
    """
    if name in known_data():
        return name
    places = [Path(name)] if name.startswith("/") else [root / name for root in service.roots]
    for place in places:
        real = Path(os.path.realpath(place))
        is_below = any(real.is_relative_to(root) for root in service.roots)
        if is_below and os.path.exists(real):  # noqa: PTH110 - Path.exists raises for long names
            return str(real)
    raise DataError(
        f"[data] name must be a known data set or lie below a folder of `vlga serve --data`, but "
        f"got name={shown(name)}; there are {', '.join(_choices(service))}"
    )


def _choices(service: Service) -> list[str]:
    names = [*known_data(), *(str(one) for one in roots_content(service))]
    return names if len(names) <= _N_NAMED else [*names[:_N_NAMED], "..."]


def _toml(value: Any) -> str:
    """Give a value in TOML's form: JSON's, but for words, which `--set` takes bare."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
