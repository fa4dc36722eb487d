"""A panel at the bottom of a terminal that is redrawn in place."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console, ConsoleRenderable, RenderableType, RenderHook
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType, Segment

__all__ = ["Panel"]


class Panel(RenderHook):
    """Rich's `Live`, which also erases what a terminal that has grown narrower has wrapped.

    Such a terminal breaks the lines that stand there, and the panel has more rows than were drawn.
    On what is no terminal nothing is drawn.
    """

    def __init__(self, console: Console, render: Callable[[], RenderableType]) -> None:
        self._console = console
        self._render = render
        self._shown: RenderableType = ""
        self._lengths: list[int] = []  # of the lines that stand there
        self._live = Live(
            get_renderable=self._draw, console=console, transient=True, refresh_per_second=4
        )

    def start(self) -> None:
        """Draw it, and again a few times a second."""
        if self._console.is_terminal:
            self._console.push_render_hook(self)  # before that of `Live`, which is taken off first
            self._live.start()

    def stop(self) -> None:
        """Erase it; may be called twice."""
        if self._live.is_started:
            self._live.stop()
            self._console.pop_render_hook()

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Erase the rows that `Live` does not know of, before anything is printed."""
        width = self._console.width
        n_more = sum((length - 1) // width for length in self._lengths if length)
        lines = self._console.render_lines(self._shown, pad=False)
        self._lengths = [Segment.get_line_length(line) for line in lines]
        erase = ((ControlType.CURSOR_UP, 1), (ControlType.ERASE_IN_LINE, 2))
        return [Control(*erase * n_more), *renderables] if n_more else renderables

    def _draw(self) -> RenderableType:
        self._shown = self._render()
        return self._shown
