"""The names that searches may have."""

from __future__ import annotations

import re

from vlga.errors import ConfigError, shown

__all__ = ["check_name", "made_up_name"]

#: A search's folder and a comparison's files are named after it: a file system has 255 bytes, of
#: which a comparison adds strategy, seed and suffix.
_NAME_BYTES = 180


def check_name(name: str) -> None:
    """Refuse a name that cannot name a folder, or would have to be typed with quotes."""
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise ConfigError(
            "--name must be letters, digits, '_', '.' and '-', beginning with one of the first "
            f"three, but got {shown(name)}"
        )
    if (n_bytes := len(name.encode())) > _NAME_BYTES:
        raise ConfigError(
            f"--name must be at most {_NAME_BYTES} bytes long, but has {n_bytes}: {shown(name)}"
        )


def made_up_name(text: str) -> str:
    """Give a name that `check_name` takes, with room for a number, out of any text."""
    name = re.sub(r"[^\w.-]+", "-", text).strip("-.") or "search"
    return name.encode()[: _NAME_BYTES - 20].decode(errors="ignore")
