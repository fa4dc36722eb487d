"""docker/Dockerfile as its stages, and .dockerignore as what it lets through."""

from __future__ import annotations

import fnmatch
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker" / "Dockerfile"


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage with all that it inherits from the stages it stands on.

    Attributes:
        image: that the first of them is made from.
        steps: pairs of an instruction and its text, continued lines joined.
    """

    image: str
    steps: tuple[tuple[str, str], ...]

    def all(self, instruction: str) -> list[str]:
        """Give the texts of an instruction, in order."""
        return [text for name, text in self.steps if name == instruction]

    def last(self, instruction: str) -> Any:
        """Give the text of an instruction that counts: the last; a JSON list as such."""
        text = self.all(instruction)[-1]
        return json.loads(text) if text.startswith("[") else text


def stages() -> dict[str, Stage]:
    """Read the Dockerfile: its stages by name, in order."""
    text = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", FILE.read_text()))
    found: dict[str, Stage] = {}
    name = ""
    for line in filter(None, text.splitlines()):
        instruction, _, rest = line.partition(" ")
        if instruction == "FROM":
            parent, _, name = rest.split()
            found[name] = found.get(parent, Stage(parent, ()))
        else:
            found[name] = Stage(found[name].image, (*found[name].steps, (instruction, rest)))
    return found


def copied(text: str) -> list[str]:
    """Give the sources of a ``COPY`` from the build context, none if it is from a stage."""
    return [] if text.startswith("--from=") else text.split()[:-1]


def context() -> set[str]:
    """Give the files of a clean checkout that .dockerignore lets into the build, by their paths."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return {path for path in listed if (ROOT / path).exists() and not is_ignored(path)}


def is_ignored(path: str) -> bool:
    """Say whether .dockerignore keeps a file out: of the patterns that match, the last counts."""
    parts = path.split("/")
    above = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    ignored = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.lstrip("!")
        if pattern and not pattern.startswith("#") and any(_matches(up, pattern) for up in above):
            ignored = not line.startswith("!")
    return ignored


def _matches(path: str, pattern: str) -> bool:
    """Match a path as Docker does: ``**/`` stands for any folders, ``*`` for no slash."""
    if pattern.startswith("**/"):
        return fnmatch.fnmatchcase(path.rpartition("/")[2], pattern[3:])
    return path.count("/") == pattern.count("/") and fnmatch.fnmatchcase(path, pattern)
