"""Streams that outlive their terminal."""

from __future__ import annotations

import errno
import os
from typing import Any, TextIO, cast

__all__ = ["lasting"]


def lasting(stream: TextIO) -> TextIO:
    """Give a stream that is silent once its terminal is closed; others are given back as they are.

    A search outlives its terminal by the seconds that it needs to save, or for good under nohup.
    """
    return cast("TextIO", _Lasting(stream)) if stream.isatty() else stream


class _Lasting:
    """A terminal's stream, whose writes succeed also when the terminal is gone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, or drop what nobody can read."""
        try:
            return self._stream.write(text)
        except OSError as error:
            self._fall_silent(error)
            return len(text)

    def flush(self) -> None:
        """Flush, or drop what nobody can read."""
        try:
            self._stream.flush()
        except OSError as error:
            self._fall_silent(error)

    def _fall_silent(self, error: OSError) -> None:
        """Write into nothing from now on, what is buffered included."""
        if error.errno != errno.EIO:
            raise error
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, self._stream.fileno())
        os.close(nothing)
