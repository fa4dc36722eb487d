"""What the terminal shows while a search runs: a live panel, or one line for each generation."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from vlga.cli.panel import Panel
from vlga.networks.phenotype import plan_of
from vlga.networks.trial import Trial
from vlga.ports.candidate import Candidate
from vlga.ports.data import DataSummary
from vlga.ports.evaluation import Evaluation, Source
from vlga.ports.lease import Stop
from vlga.ports.observer import (
    Evaluated,
    Event,
    FewerFit,
    FinalEnded,
    FinalStarted,
    GenerationEnded,
    Progress,
    Recalled,
    StopRequested,
    Updated,
)
from vlga.report.formats import count_text, machines_text, number_of, pace_text, seconds_text

__all__ = ["TerminalObserver"]

_Shape = tuple[int, int, int]


class Shown(Protocol):
    """What is drawn again and again while a search runs, such as a `Panel`."""

    def start(self) -> None:
        """Draw it, and again a few times a second."""

    def stop(self) -> None:
        """Erase it; may be called twice."""


class TerminalObserver:
    """An `Observer` that prints to stderr; use it in a ``with`` block.

    On a terminal a panel at the bottom is redrawn a few times a second, and lines for finished
    generations scroll by above it; otherwise only the lines are printed. For one search of several
    there is only the panel, with the search's name.
    """

    def __init__(
        self,
        name: str,
        data: DataSummary,
        console: Console | None = None,
        *,
        one_of: str = "",
        panel: Callable[[Console, Callable[[], RenderableType]], Shown] = Panel,
    ) -> None:
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._name = name
        self._data = data
        self._one_of = one_of
        self._progress: Progress | None = None
        self._told = 0.0
        self._last = ""
        self._recalls = False  # what an earlier run of the search did
        #: Longer trainings that run, since when; None as long as the search goes on.
        self._finals: dict[int, tuple[float, FinalStarted]] | None = None
        #: Candidates whose training another search had done.
        self.n_taken_over = 0
        self._panel = panel(self.console, lambda: Group(*self._render()))

    def __enter__(self) -> Self:
        self._panel.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._panel.stop()

    def __call__(self, event: Event) -> None:
        """Keep what the next redraw shows; print what stays."""
        match event:
            case Updated(progress):
                self._progress = progress
                self._told = time.monotonic()
            case Evaluated(_, evaluation) if evaluation.source is Source.OTHER_SEARCH:
                self.n_taken_over += 1
                self._note_outcome(event.candidate, evaluation)
            case Evaluated(candidate, evaluation) | Recalled(candidate, evaluation):
                self._recalls = isinstance(event, Recalled)
                self._note_outcome(candidate, evaluation)
            case GenerationEnded(record, progress):
                self._print_generation(record, progress)
            case FewerFit(n_members, n_wanted) if not self._one_of:
                self.console.print(
                    f"there is time to train {n_members} of the {n_wanted} best networks longer"
                )
            case FinalStarted():
                self._begin_final(event)
            case FinalEnded(individual, _) if self._finals is not None:
                self._finals.pop(individual.id, None)
            case StopRequested(Stop.DRAIN):
                self.console.print(
                    "stopping when the running trainings have ended; Ctrl-C gives them up"
                )

    def _note_outcome(self, candidate: Candidate, evaluation: Evaluation) -> None:
        """Keep the last outcome for the panel; a study's outcomes are lines that stay."""
        outcome = (
            str(evaluation.reason) if evaluation.fitness is None else f"{evaluation.fitness:.4f}"
        )
        self._last = f"#{candidate.id} {outcome}, {self._network(candidate)}"
        if isinstance(candidate.genome, Trial) and not self._one_of:
            self._print_trial(candidate.id, candidate.genome, evaluation, outcome)

    def _print_generation(self, record: Mapping[str, Any], progress: Progress) -> None:
        """Print a line that stays."""
        if self._one_of:
            return
        best = progress.best
        line = Text.assemble(
            (f"phase {record['phase']} generation {record['generation']}  ", "bold"),
            f"{record['n_new']} new, {record['n_individuals']} alive: "
            f"best {record['best']:.4f}, median {record['median']:.4f}  ",
            (f"[{'earlier' if self._recalls else seconds_text(progress.elapsed_seconds)}]", "dim"),
        )
        if best is not None and best.accuracy > record["best"]:
            line.append(f"  best so far {best.accuracy:.4f}", "dim")
        self.console.print(line)

    def _begin_final(self, event: FinalStarted) -> None:
        """Say that the winner, or a member of its committee, is being trained longer."""
        self._finals = self._finals or {}
        self._finals[event.individual.id] = (time.monotonic(), event)
        if not self.console.is_terminal and not self._one_of:
            self.console.print(_final_text(event))

    def _render(self) -> list[Table | Text]:
        """Give the lines of the panel."""
        above = [Text(self._one_of, "bold")] if self._one_of else []
        return [*above, *self._render_search()]

    def _render_search(self) -> list[Table | Text]:
        if self._finals is not None:
            return [line for final in self._finals.values() for line in _final_lines(*final)]
        progress = self._progress
        if progress is None:
            return [Text(f"{self._name}: starting the workers")]
        since = time.monotonic() - self._told
        done, left = progress.done_fraction, progress.seconds_left
        row: list[Text | ProgressBar] = [
            Text(f"phase {progress.phase} generation {progress.generation}", "bold")
        ]
        if done is not None:
            row.append(ProgressBar(total=1, completed=done, width=24))
        # The clock ticks also while no training ends.
        clock = seconds_text(progress.elapsed_seconds + since)
        if left is not None:
            clock += f", budget for {seconds_text(max(0.0, left - since))} more"
        head = Table.grid(padding=(0, 2))
        head.add_row(*row, Text(clock))
        counts = (
            f"{progress.n_completed} trained, {progress.n_failed} failed, "
            f"{progress.n_reused} reused, {progress.n_running} running"
        )
        best = progress.best
        lines: list[Table | Text] = [head, Text(counts), Text(_pace(progress))]
        if best is not None:
            text = f"best {best.accuracy:.4f}  #{best.id}, {self._network(best.candidate)}"
            lines.append(Text(text, "green"))
        lines.append(Text(f"last {self._last}" if self._last else "", "dim"))
        return lines

    def _print_trial(self, number: int, trial: Trial, evaluation: Evaluation, outcome: str) -> None:
        if evaluation.test_accuracy is not None:
            outcome = f"test {evaluation.test_accuracy:.2%}"
        rate = trial.optimizer.learning_rate
        elapsed = 0.0
        if self._progress is not None:
            elapsed = self._progress.elapsed_seconds + time.monotonic() - self._told
        self.console.print(
            f"#{number} {trial.network}, learning rate {rate:g}, {trial.arm}, seed {trial.seed}: "
            f"{outcome}  [{seconds_text(elapsed)}]",
            markup=False,
        )

    def _network(self, candidate: Candidate) -> str:
        plan = plan_of(candidate.genome, self._data.input_shape, len(self._data.classes))
        return f"{number_of(plan.depth, 'convolution')}, {count_text(plan.n_parameters)} parameters"


def _final_lines(started: float, event: FinalStarted) -> list[Table | Text]:
    """Show how far a longer training should be, by the time that it is expected to take."""
    elapsed = time.monotonic() - started
    clock, text = seconds_text(elapsed), _final_text(event)
    if event.seconds is None:
        return [_wrapped(f"{text}  {clock}")]
    row = Table.grid(padding=(0, 2))
    bar = ProgressBar(total=1, completed=min(1.0, elapsed / event.seconds), width=24)
    row.add_row(bar, Text(clock))
    return [_wrapped(text), row]


def _wrapped(text: str) -> Text:
    """Give a text that goes on in the next line, which the console's own setting prevents."""
    return Text(text, no_wrap=False, overflow="fold")


def _final_text(event: FinalStarted) -> str:
    """Say what is trained longer, and for how long as far as that can be told."""
    about = "" if event.seconds is None else f", about {seconds_text(event.seconds)},"
    what = "the winner " if event.number == 1 else ""
    which = "" if event.n_members == 1 else f", {event.number} of {event.n_members},"
    epochs = f"{'about ' if event.is_timed else ''}{number_of(event.epochs, 'epoch')}"
    hides = ", a square of each hidden (final.cutout)" if event.hides_squares else ""
    small = ""
    if event.early_size < 1:
        share = f"{event.early_size:.0%} of their height and width"
        small = f", at {share} in the first half (final.early_size)"
    return (
        f"training {what}#{event.individual.id}{which} for {epochs}{about} "
        f"on all training images{hides}{small}"
    )


def _pace(progress: Progress) -> str:
    """Say how fast the search is, how busy its workers are and where, as far as known."""
    pace, busy = progress.trainings_per_minute, progress.busy_share
    where = machines_text(progress.machines)
    parts = (
        "" if pace is None else pace_text(pace),
        "" if busy is None else f"workers {busy:.0%} busy",
        where and f"on {where}",
    )
    return ", ".join(filter(None, parts))
