"""A search of a database as an object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from db.connection.engine import database_file, opened
from db.read.searches import show_search
from vlga.report.files import replace_file, require_own
from vlga.report.formats import count_text, number_of
from vlga.report.rivals import accuracy_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Best", "Report", "SearchResult"]


@dataclass(frozen=True, slots=True)
class Best:
    """A search's winner.

    Attributes:
        id: its candidate's number.
        validation_accuracy: in [0, 1], by which it was chosen.
        test_accuracy: in [0, 1], of its longer training on images never used before; None until
            then.
        test_standard_error: of that accuracy.
        parameters: weights and biases.
        depth: convolutions.
    """

    id: int
    validation_accuracy: float
    test_accuracy: float | None
    test_standard_error: float | None
    parameters: int
    depth: int


@dataclass(frozen=True, slots=True)
class Report:
    """What a search found: text where it is printed, a page with figures in a notebook."""

    text: str
    page: str

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        style = "width: 100%; height: 80vh; border: 0"
        return f'<iframe srcdoc="{escape(self.page)}" style="{style}"></iframe>'


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A search that is in a database; it may still be running.

    Each property and method looks there anew.

    Attributes:
        name: of the search.
        db: the database's URL.
    """

    name: str
    db: str

    def __str__(self) -> str:
        shown = self._shown()
        text, best = f"{self.name}: {shown['status']}", self.best
        if best is None:
            return f"{text}, no network trained yet"
        text += (
            f", winner #{best.id} with {number_of(best.depth, 'convolution')} and "
            f"{count_text(best.parameters)} parameters"
        )
        if best.test_accuracy is None:
            return f"{text}, validation accuracy {best.validation_accuracy:.4f}"
        return f"{text}, test accuracy {accuracy_text(best.test_accuracy, shown['images']['test'])}"

    @property
    def status(self) -> str:
        """``running | completed | interrupted | failed | lost``."""
        return str(self._shown()["status"])

    @property
    def best(self) -> Best | None:
        """The winner, or the fittest so far while the search runs; None before any is trained."""
        best = self._shown()["best"]
        if best is None:
            return None
        return Best(
            best["id"],
            best["fitness"],
            best["test_accuracy"],
            best["test_standard_error"],
            best["parameters"],
            best["depth"],
        )

    def population(self) -> pd.DataFrame:
        """Give a row for each network, see `vlga.frames.population`."""
        from db.frames import population

        return population(self.db, self.name)

    def report(self, file: str | Path | None = None) -> Report:
        """Give what the search found; a notebook shows it with its figures.

        Args:
            file: where its page is written too, if not None: a new file, or a page of vlga.

        Raises:
            ConfigError: the file may not be written.
        """
        from vlga.app.reports import page_of, report_of

        with opened(self.db) as engine:
            if file is not None:
                path = Path(file)
                require_own("file", path, database_file(engine), way_out="choose another name")
            found = report_of(engine, self.name)
            report = Report(found.text("table"), page_of(engine, found))
        if file is not None:
            replace_file("file", path, report.page.encode())
        return report

    def resume(
        self, seconds: float | None = None, settings: Mapping[str, Any] | None = None
    ) -> SearchResult:
        """Go on with the search if it was interrupted, or with more time or another larger budget.

        Args:
            seconds: that it may take in all, what it has taken included; as before if None.
            settings: dotted names to values that change, such as ``{"budget.epochs": 1000}``.

        Raises:
            ConfigError: a setting may not change, or nothing is left to do.
            SearchHeld: another process runs it.
        """
        from vlga.notebook.searching import resume

        return resume(self, seconds, settings)

    def _shown(self) -> dict[str, Any]:
        with opened(self.db) as engine:
            return show_search(engine, self.name)
