"""A search of a database as an object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from db.connection.engine import database_file, opened
from db.read.mistakes import winner_mistakes
from db.read.searches import show_search
from db.store import SqlStore
from vlga.ports.data import fitness_label
from vlga.ports.mistakes import Mistakes
from vlga.report.committee import committee_text, tested_of
from vlga.report.files import replace_file, require_own
from vlga.report.formats import count_text, number_of
from vlga.report.mistakes import mistakes_html, mistakes_text
from vlga.report.rivals import scores_text

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

__all__ = ["Best", "Committee", "Report", "SearchResult", "ShownMistakes"]


@dataclass(frozen=True, slots=True)
class Best:
    """A search's winner.

    Attributes:
        id: its candidate's number.
        fitness: in [0, 1], by which it was chosen: the accuracy on the validation images, or what
            else the setting of that name says.
        test_accuracy: in [0, 1], of its longer training on images never used before; None until
            then.
        test_standard_error: of that accuracy.
        test_fitness: of the same images, of the kind of the fitness; None likewise.
        parameters: weights and biases.
        depth: convolutions.
    """

    id: int
    fitness: float
    test_accuracy: float | None
    test_standard_error: float | None
    test_fitness: float | None
    parameters: int
    depth: int


@dataclass(frozen=True, slots=True)
class Committee:
    """A search's best networks, whose probabilities are averaged.

    Attributes:
        members: ids of their candidates.
        test_accuracy: of the mean, in [0, 1].
        test_standard_error: of that accuracy.
        test_fitness: of the same images, of the search's kind of fitness.
        parameters: of all members together.
        macs: multiply-accumulates for one image, likewise.
        train_seconds: of their longer trainings, likewise.
    """

    members: tuple[int, ...]
    test_accuracy: float
    test_standard_error: float
    test_fitness: float
    parameters: int
    macs: int
    train_seconds: float


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


class ShownMistakes(Mistakes):
    """`Mistakes`: text where they are printed, with pictures in a notebook."""

    __slots__ = ()

    def __str__(self) -> str:
        return mistakes_text(self)

    def _repr_html_(self) -> str:
        return mistakes_html(self)


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
        tested = tested_of(shown)
        if tested["test_accuracy"] is None:
            measure = fitness_label(shown["fitness"], shown["fitness_on"])
            return f"{text}, {measure} {best.fitness:.4f}"
        scores = scores_text(tested, shown["images"]["test"], shown["fitness"])
        by = "" if shown["committee"] is None else f" {committee_text(shown['committee'])}"
        return f"{text}, test accuracy {scores}{by}"

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
            best["test_fitness"],
            best["parameters"],
            best["depth"],
        )

    @property
    def committee(self) -> Committee | None:
        """Its best networks, whose mean is its answer; None until they are tested, or without."""
        found = self._shown()["committee"]
        return None if found is None else Committee(**{**found, "members": (*found["members"],)})

    def population(self) -> pd.DataFrame:
        """Give a row for each network, see `vlga.frames.population`."""
        from db.frames import population

        return population(self.db, self.name)

    def front(self) -> pd.DataFrame:
        """Give the networks that no other is as good as in everything, see `vlga.frames.front`."""
        from db.frames import front

        return front(self.db, self.name)

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

    def predict(self, images: str | Path | Sequence[str | Path], top: int = 1) -> pd.DataFrame:
        """Classify images with what the search answers with: its committee, or its winner.

        Args:
            images: image files, folders of them, and ``.npz`` archives, or one of these.
            top: classes to give of each image, the most probable first.

        Returns:
            Columns `file class probability`, a row for each image and class; of a file that cannot
            be read one without class and probability.

        Raises:
            ConfigError: the winner was not trained longer, or its weights are gone.
            DataError: there are no images.
        """
        import pandas as pd

        from vlga.app.predictions import predict

        paths = [Path(one) for one in ((images,) if isinstance(images, (str, Path)) else images)]
        with closing(SqlStore(self.db, create=False)) as store:
            rows = [
                (found.file, name, probability)
                for found in predict(store, self.name, paths, top)
                for name, probability in found.classes or ((None, None),)
            ]
        table = pd.DataFrame(rows, columns=["file", "class", "probability"])
        return table.astype({"file": "string", "class": "string", "probability": "Float64"})

    def mistakes(self) -> ShownMistakes:
        """Give what the search's answer got wrong on the test images.

        A notebook shows the most confident mistakes as pictures.

        Raises:
            NoIndividual: the winner was not trained longer.
        """
        with opened(self.db) as engine:
            found = winner_mistakes(engine, self.name)
        return ShownMistakes(found.classes, found.confusion, found.bins, found.worst)

    def model(self) -> nn.Module:
        """Give the committee, or else the winner, as plain PyTorch on the CPU.

        It maps images (n, channels, height, width), float32 in [0, 1] and of the search's size, to
        logits (n, n_classes); it normalizes them itself.

        Raises:
            ConfigError: the winner was not trained longer, or its weights are gone.
        """
        from vlga.app.exports import as_module

        with closing(SqlStore(self.db, create=False)) as store:
            return as_module(store, self.name)

    def export(self, folder: str | Path, *formats: str, under: str | None = None) -> list[Path]:
        """Write the committee, or else the winner, as files that need no vlga: ``vlga export``.

        Args:
            folder: a new or an empty one.
            formats: ``source``, ``onnx`` and ``program``; ``source`` if there is none.
            under: what the network may cost, such as ``parameters=100k``, ``macs=5M`` or
                ``latency=5ms``: the fittest of those whose weights were kept is then written.

        Raises:
            ConfigError: the folder is not empty, a library is missing, the weights are gone, or no
                network costs so little.
        """
        from vlga.app.bounds import fittest_under, parse_bound
        from vlga.app.exports import export

        bound = None if under is None else parse_bound(under)
        with closing(SqlStore(self.db, create=False)) as store:
            name = self.name if bound is None else fittest_under(store, self.name, bound)
            names = export(store, name, Path(folder), formats or ("source",))
        return [Path(folder) / name for name in names]

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
