"""What the packages log, as lines for the person at the terminal."""

from __future__ import annotations

import logging
import sys

import click

from vlga.errors import plain

__all__ = ["show_messages"]


class _Stderr(logging.Handler):
    """Writes to stderr as it is at that moment: while a panel is drawn, that is above it."""

    def emit(self, record: logging.LogRecord) -> None:
        # With err=True click would go round rich's own stderr, into the middle of the panel.
        click.echo(plain(self.format(record)), file=sys.stderr)


_STDERR = _Stderr()


def show_messages() -> None:
    """Write what the packages log to stderr from now on; calling it again changes nothing."""
    for package in ("vlga", "workers", "db"):
        logger = logging.getLogger(package)
        logger.setLevel(logging.INFO)
        logger.addHandler(_STDERR)
    # A signal may come while a connection is given back, which is then thrown away: nothing to say.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
