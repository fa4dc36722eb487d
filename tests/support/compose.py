"""docker-compose.yml as Docker Compose reads it: variables filled in, and what a service runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.support import dockerfile

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
_VARIABLE = re.compile(
    r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?:(?P<rule>:?[-?])(?P<rest>[^}]*))?\})"
)


class MissingVariable(ValueError):
    """A variable that the file requires has no value."""


def read() -> dict[str, Any]:
    """Give the file with its anchors and merges resolved, and its variables as written."""
    content: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return content


def services(environment: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Give the services by name, filled in from an environment.

    Raises:
        MissingVariable: a variable that is required is not set, or empty.
    """
    filled: dict[str, dict[str, Any]] = interpolate(read()["services"], environment)
    return filled


def interpolate(value: Any, environment: Mapping[str, str]) -> Any:
    """Fill variables in, in every text of a tree, by the rules of the Compose specification."""
    if isinstance(value, dict):
        return {key: interpolate(item, environment) for key, item in value.items()}
    if isinstance(value, list):
        return [interpolate(item, environment) for item in value]
    if not isinstance(value, str):
        return value

    def fill(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        found, rule = environment.get(match["name"]), match["rule"] or ""
        if found is not None and (found or not rule.startswith(":")):
            return found
        if rule.endswith("?"):
            raise MissingVariable(f"{match['name']}: {match['rest']}")
        return match["rest"] or ""

    return _VARIABLE.sub(fill, value)


def command(service: Mapping[str, Any], *words: str) -> list[str]:
    """Give what a service of ours runs; with words, what ``docker compose run SERVICE WORDS`` does.

    What the service does not set comes from its image, as with Docker: an entry point of the
    service's own also clears the image's command.
    """
    target = dockerfile.stages()[service["build"]["target"]]
    image_command = [] if "entrypoint" in service else target.last("CMD")
    entry_point = service.get("entrypoint") or target.last("ENTRYPOINT")
    return [*entry_point, *(words or service.get("command", image_command))]
