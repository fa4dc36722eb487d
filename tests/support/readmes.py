"""The READMEs of the project, and the examples in them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("vlga", "workers", "db", "docker", "tests")
PATHS = [
    ROOT / "README.md",
    *(path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("README.md"))),
]
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in PATHS)


def blocks(language: str) -> list[str]:
    """Give the code blocks of a language in all READMEs, one that stands twice only once."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    return [*dict.fromkeys(text for kind, text in found if kind == language)]


def name(path: Path) -> str:
    """Give a README's path as a test's id."""
    return path.relative_to(ROOT).as_posix()
