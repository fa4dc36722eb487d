import io
import logging
import re
import time
from dataclasses import replace

import pytest
from rich.console import Console, Group

from tests.support.records import DATA, candidate, evaluation
from vlga.cli.live import TerminalObserver
from vlga.cli.messages import show_messages
from vlga.ports.candidate import Individual
from vlga.ports.evaluation import FailureReason
from vlga.ports.machines import Machines
from vlga.ports.observer import (
    Evaluated,
    FewerFit,
    FinalEnded,
    FinalStarted,
    GenerationEnded,
    Progress,
    Recalled,
    Updated,
)

BEST = Individual(candidate(7), evaluation(7, 0.9012))
PROGRESS = Progress(
    phase=1,
    generation=2,
    n_completed=30,
    n_failed=3,
    n_reused=4,
    n_running=2,
    n_slots=2,
    machines=Machines(n_nodes=1, n_gpus=0),
    best=BEST,
    elapsed_seconds=75.0,
    done_fraction=0.25,
    seconds_left=225.0,
    trainings_per_minute=26.4,
    busy_share=0.97,
)
GENERATION = {"phase": 1, "generation": 2, "best": 0.9012, "median": 0.5, "n_new": 6,
              "n_individuals": 12}  # fmt: skip


class Screen:
    """A terminal that remembers what was written to it."""

    def __init__(self, *, is_terminal: bool = True, one_of: str = "") -> None:
        self.file = io.StringIO()
        console = Console(
            file=self.file,
            force_terminal=is_terminal,
            width=100,
            highlight=False,
            soft_wrap=True,
        )
        self.observer = TerminalObserver("mine", DATA, console, one_of=one_of)

    @property
    def written(self) -> str:
        """All that was written, without colours and cursor movements."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.file.getvalue())

    def panel_of(self, event) -> list[str]:
        """The lines of the panel after an event."""
        self.observer(event)
        return self.panel

    @property
    def panel(self) -> list[str]:
        """The lines of the panel as it would be drawn now."""
        with self.observer.console.capture() as captured:
            self.observer.console.print(Group(*self.observer._render()))
        return re.sub(r"\x1b\[[0-9;]*m", "", captured.get()).splitlines()


@pytest.fixture
def screen():
    """A terminal."""
    return Screen()


class TestPanel:
    def test_before_the_first_news_says_what_it_waits_for(self, screen):
        """Starting workers takes seconds."""
        assert screen.panel == ["mine: starting the workers"]

    def test_shows_where_the_search_stands(self, screen):
        """Phase, generation, time, time left, counts, pace, the best and the last network."""
        screen.observer(Updated(PROGRESS))
        screen.observer(Evaluated(candidate(8), evaluation(8, 0.4)))
        head, counts, pace, best, last = screen.panel

        assert re.fullmatch("phase 1 generation 2  [━╸╺ ]+  1:15, budget for 3:45 more *", head)
        assert counts == "30 trained, 3 failed, 4 reused, 2 running"
        assert pace == "26 trainings a minute, workers 97% busy"
        assert best == "best 0.9012  #7, 2 convolutions, 2.60 k parameters"
        assert last == "last #8 0.4000, 2 convolutions, 2.60 k parameters"

    def test_says_why_the_last_one_failed(self, screen):
        """In a word."""
        screen.observer(Updated(PROGRESS))
        screen.observer(Evaluated(candidate(8), evaluation(8, reason=FailureReason.DIVERGED)))

        assert screen.panel[-1].startswith("last #8 diverged, ")

    def test_names_machines_and_gpus_where_there_are_any(self, screen):
        """Whoever has one machine without a GPU knows."""
        machines = Machines(n_nodes=3, n_gpus=8)
        screen.observer(Updated(replace(PROGRESS, machines=machines)))

        assert screen.panel[2].endswith(" busy, on 3 machines with 8 GPUs")

    def test_says_of_the_pace_what_is_known(self, screen):
        """Nothing before a training has started; no number of trainings before one has ended."""
        unknown = replace(PROGRESS, trainings_per_minute=None, busy_share=None)
        screen.observer(Updated(unknown))
        nothing = screen.panel[2]
        screen.observer(Updated(replace(unknown, busy_share=1.0)))

        assert nothing == ""
        assert screen.panel[2] == "workers 100% busy"

    def test_the_clock_ticks_while_nothing_happens(self, screen, monkeypatch):
        """A training may take long: its time goes by on the screen, and is not left any more."""
        screen.observer(Updated(PROGRESS))
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now + 25)
        later = screen.panel[0].rstrip()
        monkeypatch.setattr(time, "monotonic", lambda: now + 3000)

        assert later.endswith("  1:40, budget for 3:20 more")
        assert screen.panel[0].rstrip().endswith("  51:15, budget for 0:00 more")

    @pytest.mark.parametrize("done_fraction", [None, 0.0])
    def test_promises_no_end_that_is_not_known(self, screen, done_fraction):
        """Without a limit, or with nothing done yet, there is no time left to tell."""
        screen.observer(
            Updated(replace(PROGRESS, best=None, done_fraction=done_fraction, seconds_left=None))
        )
        head, *_ = screen.panel

        assert head.rstrip().endswith("  1:15")
        assert ("━" in head) == (done_fraction is not None)

    def test_becomes_the_final_training_s(self, screen):
        """With its own clock."""
        screen.observer(Updated(PROGRESS))
        screen.observer(FinalStarted(BEST, 30))

        text = "training the winner #7 for 30 epochs on all training images  0:0"
        assert screen.panel[0].startswith(text)

    def test_is_drawn_while_the_search_runs_and_gone_after_it(self, screen):
        """Finished generations scroll by above it."""
        with screen.observer:
            screen.observer(Updated(PROGRESS))
            screen.observer(GenerationEnded(GENERATION, PROGRESS))
            screen.observer._panel._live.refresh()
        n_shown = screen.written.count("30 trained")
        screen.observer.console.print("the end")

        assert n_shown >= 1
        assert "phase 1 generation 2  6 new, 12 alive: best 0.9012, median 0.5000" in screen.written
        assert screen.written.count("30 trained") == n_shown
        assert screen.written.endswith("the end\n")

    def test_scrolls_what_is_logged_by_above_it(self, screen, capsys):
        """As a line of its own, however long, and word for word."""
        show_messages()
        message = "the database [red]x[/] must answer, " * 4 + "but does not"
        with screen.observer:
            screen.observer(Updated(PROGRESS))
            screen.observer._panel._live.refresh()
            logging.getLogger("db.part").warning(message)
        before, line, after = screen.written.partition(f"\r{message}\n")

        assert "30 trained" in before
        assert line
        assert "30 trained" in after
        assert capsys.readouterr() == ("", "")

    def test_erases_what_a_narrower_terminal_has_wrapped(self, screen):
        """A row more than was drawn for each line that is longer than the window is wide."""
        wide = [len(line) for line in Screen().panel_of(Updated(PROGRESS))]
        with screen.observer:
            screen.observer(Updated(PROGRESS))
            screen.observer._panel._live.refresh()
            before = len(screen.file.getvalue())
            screen.observer.console.width = 40
            screen.observer.console.print("a line that stays")
            erased, line, _ = screen.file.getvalue()[before:].partition("a line that stays")

        assert line
        assert erased.count("\x1b[1A") == sum(-(-max(1, length) // 40) for length in wide) - 1

    def test_leaves_the_terminal_as_it_was(self, screen):
        """Also after a failure: the cursor is shown again."""
        with pytest.raises(ZeroDivisionError), screen.observer:
            screen.observer(Updated(PROGRESS))
            raise ZeroDivisionError

        assert screen.file.getvalue().rindex("\x1b[?25h") > screen.file.getvalue().rindex(
            "\x1b[?25l"
        )


class TestLines:
    def test_a_generation_is_one_line(self):
        """What came out of it and when; without a terminal nothing else is written."""
        screen = Screen(is_terminal=False)
        with screen.observer:
            screen.observer(Updated(PROGRESS))
            screen.observer(Evaluated(candidate(8), evaluation(8)))
            screen.observer(GenerationEnded(GENERATION, PROGRESS))
            screen.observer(FinalStarted(BEST, 1))

        assert screen.file.getvalue() == (
            "phase 1 generation 2  6 new, 12 alive: best 0.9012, median 0.5000  [1:15]\n"
            "training the winner #7 for 1 epoch on all training images\n"
        )

    def test_what_an_earlier_run_did_has_no_time_of_this_one(self):
        """A resumed search tells its generations again, all at once."""
        screen = Screen(is_terminal=False)
        screen.observer(Recalled(candidate(8), evaluation(8)))
        screen.observer(GenerationEnded(GENERATION, PROGRESS))
        screen.observer(Evaluated(candidate(9), evaluation(9)))
        screen.observer(GenerationEnded(GENERATION, PROGRESS))

        assert [line.split("[")[1] for line in screen.written.splitlines()] == ["earlier]", "1:15]"]

    def test_a_worse_generation_is_set_against_the_best_so_far(self):
        """Phases start anew."""
        screen = Screen(is_terminal=False)
        screen.observer(GenerationEnded({**GENERATION, "best": 0.5}, PROGRESS))

        assert screen.written.endswith("[1:15]  best so far 0.9012\n")


class TestFinalTraining:
    def test_says_that_there_is_time_for_fewer(self, screen):
        """At the end of its part of the screen; what follows is of those."""
        screen.observer(FewerFit(2, 4))

        assert screen.written.endswith("there is time to train 2 of the 4 best networks longer\n")

    def test_shows_how_far_it_should_be(self, screen):
        """By the time that it is expected to take."""
        screen.observer(FinalStarted(BEST, 30, 90.0))

        text = "training the winner #7 for 30 epochs, about 1:30, on all training images"
        assert screen.panel[0] == text
        assert screen.panel[1].endswith("0:00")

    def test_says_that_its_time_decides(self, screen):
        """The number of epochs is then an expectation."""
        screen.observer(FinalStarted(BEST, 30, 90.0, is_timed=True))

        assert " for about 30 epochs, about 1:30, on all training images" in screen.panel[0]

    def test_says_what_is_hidden(self, screen):
        """What the program decides, with the setting that changes it, also if that is long."""
        screen.observer(FinalStarted(BEST, 30, 90.0, hides_squares=True))

        text, rest, _ = screen.panel
        assert text.rstrip().endswith(" on all training images, a square of each hidden")
        assert rest == "(final.cutout)"

    def test_says_when_images_are_smaller(self, screen):
        """Likewise."""
        screen.observer(FinalStarted(BEST, 30, 90.0, early_size=0.75))

        text, rest, _ = screen.panel
        assert text.rstrip().endswith(" on all training images, at 75% of their height and")
        assert rest == "width in the first half (final.early_size)"

    def test_shows_all_longer_trainings_that_run(self, screen):
        """Those of a committee that are trained side by side; one that has ended is gone."""
        other = replace(BEST, candidate=replace(BEST.candidate, id=8))
        screen.observer(Updated(PROGRESS))
        screen.observer(FinalStarted(BEST, 30, number=1, n_members=2))
        screen.observer(FinalStarted(other, 20, number=2, n_members=2))

        assert screen.panel == [
            "training the winner #7, 1 of 2, for 30 epochs on all training images  0:00",
            "training #8, 2 of 2, for 20 epochs on all training images  0:00",
        ]
        screen.observer(FinalEnded(BEST, BEST.evaluation))
        assert [line.split(",")[0] for line in screen.panel] == ["training #8"]
        screen.observer(FinalEnded(other, BEST.evaluation))
        assert screen.panel == []

    def test_whose_time_nobody_knows_has_a_clock(self, screen):
        """As a training that was taken over from another search."""
        screen.observer(FinalStarted(BEST, 30))

        assert screen.panel == ["training the winner #7 for 30 epochs on all training images  0:00"]


class TestOneOfMany:
    def test_stands_under_a_line_about_all(self):
        """Also while its winner is being trained longer."""
        screen = Screen(one_of="search 2 of 6, mine")
        screen.observer(Updated(PROGRESS))
        searching = screen.panel
        screen.observer(FinalStarted(BEST, 30))

        assert searching[0] == screen.panel[0] == "search 2 of 6, mine"
        assert searching[1].startswith("phase 1 generation 2 ")
        assert screen.panel[1].startswith("training the winner #7 for 30 epochs")

    def test_writes_no_lines(self):
        """Whoever runs the many says what came out of each."""
        screen = Screen(is_terminal=False, one_of="search 2 of 6, mine")
        screen.observer(GenerationEnded(GENERATION, PROGRESS))
        screen.observer(FinalStarted(BEST, 1))

        assert screen.written == ""


def test_a_redraw_is_cheap(screen):
    """A few hundredths of a second at most, four times a second."""
    screen.observer(Updated(PROGRESS))
    started = time.process_time()
    for _ in range(10):
        screen.observer._render()

    assert time.process_time() - started < 0.5
