"""What a notebook shows while a search runs: one output of its cell, which changes."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable
from typing import Any

from rich.console import Console, RenderableType

from vlga.cli.live import TerminalObserver
from vlga.ports.data import DataSummary

__all__ = ["NotebookObserver", "in_notebook"]

_UPDATE_SECONDS = 0.5
#: Characters in a line of the panel.
_WIDTH = 100


def in_notebook() -> bool:
    """Tell whether this runs in a notebook, or in what else shows outputs of IPython's kernel."""
    if "IPython" not in sys.modules:
        return False
    from IPython.core.getipython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None


class NotebookObserver(TerminalObserver):
    """A `TerminalObserver` for notebooks; all that its console prints is in one output."""

    def __init__(self, name: str, data: DataSummary) -> None:
        super().__init__(name, data, _new_console(soft_wrap=True), panel=_NotebookPanel)


class _NotebookPanel:
    """A `Panel` in the output of the cell that runs, below what its console has printed.

    Rich's own needs ipywidgets, shows nothing where they are not installed, and puts each line that
    is printed meanwhile into an output of its own.
    """

    def __init__(self, console: Console, render: Callable[[], RenderableType]) -> None:
        self._console = console
        self._render = render
        self._handle: Any = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._redraw, name="display", daemon=True)

    def start(self) -> None:
        """Draw it, and again a few times a second."""
        from IPython.display import display

        self._handle = display(self._drawn(), raw=True, display_id=True)
        self._thread.start()

    def stop(self) -> None:
        """Leave what was printed; may be called twice."""
        if not self._ended.is_set():
            self._ended.set()
            self._thread.join()
            self._handle.update(_as_output(self._console), raw=True)

    def _redraw(self) -> None:
        while not self._ended.wait(_UPDATE_SECONDS):
            self._handle.update(self._drawn(), raw=True)

    def _drawn(self) -> dict[str, str]:
        panel = _new_console(soft_wrap=False)
        panel.print(self._render())
        return _as_output(self._console, panel)


def _new_console(*, soft_wrap: bool) -> Console:
    """Give a console that keeps what it prints, and prints it nowhere."""
    return Console(
        file=io.StringIO(),
        record=True,
        width=_WIDTH,
        color_system="truecolor",
        force_terminal=False,
        force_jupyter=False,
        highlight=False,
        soft_wrap=soft_wrap,
    )


def _as_output(*consoles: Console) -> dict[str, str]:
    """Give what consoles have printed, by MIME type."""
    html = "".join(
        one.export_html(clear=False, inline_styles=True, code_format="{code}") for one in consoles
    )
    return {
        "text/plain": "".join(one.export_text(clear=False) for one in consoles),
        "text/html": f'<pre style="white-space: pre-wrap">{html}</pre>',
    }
