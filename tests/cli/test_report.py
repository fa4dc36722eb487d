"""`vlga report` of a search; of a study see test_train.py."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from random import Random

import pytest

from db.store import SqlStore
from tests.support.command import vlga
from tests.support.figures import valid
from tests.support.records import candidate, evaluation, genome, record
from vlga.execution.hold import held
from vlga.ports.evaluation import FailureReason

#: What is in the folder without any page.
DATABASE = {"vlga.db", "vlga.db-wal", "vlga.db-shm"}
NASTY = "<script>alert(1)</script>"


class Page(HTMLParser):
    """What a browser would make of a page: its tags with their attributes, and its text."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self.source = Path(file).read_text(encoding="utf-8")
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.scripts = "", []
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.cdata_elem == "script":
            self.scripts.append(data)
        else:
            self.text += data

    def count(self, tag):
        return sum(name == tag for name, _ in self.tags)


def fill(name, size=32, **changes):
    """Enter a search: two generations, one failure, learning rate 0.05 the better one."""
    rng = Random(0)
    store = SqlStore("sqlite:///vlga.db")
    store.create_search(replace(record(name), **changes))
    candidates, outcomes = [candidate(size)], []
    for number in range(size):
        rate = 0.05 if number % 2 else 0.1
        parents = (0,) if number >= size // 2 else ()
        candidates.append(replace(candidate(number, parents), genome=genome(1, rate)))
        fitness = round((0.5 if rate == 0.1 else 0.8) + 0.1 * rng.random(), 4)
        outcomes.append(replace(evaluation(number, fitness), n_parameters=1000 * (number + 1)))
    outcomes.append(evaluation(size, reason=FailureReason.OUT_OF_MEMORY))
    store.add_candidates(name, candidates)
    store.add_evaluations(name, outcomes)
    store.update_search(name, status="completed", seconds=83.0)
    store.close()


@pytest.fixture
def search():
    fill("first")


class TestText:
    def test_is_one_screen(self, search):
        """What was searched, by generation, failures, genes, size, and the winner."""
        told = vlga("report", "first")

        assert (told.code, told.err) == (0, "")
        lines = told.out.splitlines()
        assert len(lines) <= 50
        assert max(map(len, lines)) <= 100
        assert lines[:4] == [
            "first: ladder, seed 0, on digits",
            "1,000 train + 250 validation + 300 test images of 1x8x8, 3 classes",
            "population 8, 6 epochs at most a network, budget: 540 seconds",
            "completed after 1:23: 33 trainings, 1 of them failed, 0 outcomes reused",
        ]
        assert lines[5].split() == [
            "made", "networks", "failed", "best", "so", "far", "best", "median", "worst",
            "convolutions",
        ]  # fmt: skip
        assert [line.split()[:3] for line in lines[7:9]] == [["0.0", "17", "1"], ["0.1", "16", "0"]]
        assert "failed trainings: 1 out of memory" in lines
        assert "genes of the fittest quarter (8) against all 32:" in lines
        assert re.search(r"learning_rate +50% +\d+% +0.05: 50% → 100% +0.1: 50% → 0%", told.out)
        assert re.fullmatch(
            r"winner #\d+: fitness 0\.\d{4}, 2 convolutions, [\d.]+ k parameters", lines[-1]
        )

    def test_has_the_winner_that_the_search_names(self, search):
        """With its test accuracy."""
        store = SqlStore("sqlite:///vlga.db")
        store.update_search("first", best_candidate_id=3, test_accuracy=0.875)
        store.close()

        last = vlga("report", "first").out.splitlines()[-1]
        assert last.startswith("winner #3: ")
        assert last.endswith("test accuracy 0.8750 ± 0.0191 after its longer training")

    def test_says_of_how_many_the_genes_were_drawn(self, search, monkeypatch):
        """Of a search too large to read all genomes; its other figures are of all networks."""
        whole = vlga("report", "first").out
        monkeypatch.setattr("vlga.report.search.text._MOST_DRAWN", 16)
        drawn = vlga("report", "first").out

        assert "genes of the fittest quarter (8) against all 32:" in whole
        assert "quarter (4) against all 16, drawn from 32:" in drawn
        assert drawn.split("genes of")[0] == whole.split("genes of")[0]

    def test_of_many_generations_is_one_screen_too(self):
        """Neighbours are put together, and of a long front some are shown."""
        store = SqlStore("sqlite:///vlga.db")
        store.create_search(record("long"))
        store.add_candidates(
            "long", [replace(candidate(number), generation=number) for number in range(100)]
        )
        store.add_evaluations("long", [evaluation(number, number / 100) for number in range(100)])
        store.close()
        told = vlga("report", "long").out

        assert len(told.splitlines()) <= 50
        assert "\n0.0 to 0.8 " in told
        assert "\n8 of 100 networks of the Pareto front (no other network is " in told
        assert re.search(r"\n99 +0\.9900 ", told)

    def test_of_one_that_has_just_begun_says_so(self):
        """No figure is made up."""
        store = SqlStore("sqlite:///vlga.db")
        store.create_search(record("new"))
        with held(store, "new"):
            told = vlga("report", "new")

        assert told.code == 0
        assert "running after 0:00: 0 trainings, 0 of them failed" in told.out
        assert told.out.endswith("\n\nno network has a fitness yet\n")

    def test_says_why_a_search_failed_and_what_its_fitness_is(self):
        """A message, and images that were not unseen."""
        begun = record("bad")
        fill("bad", 2, data=replace(begun.data, fitness_on="test"))
        store = SqlStore("sqlite:///vlga.db")
        store.update_search("bad", status="failed", message="no luck")
        store.close()
        told = vlga("report", "bad").out

        assert (
            "failed after 1:23: 3 trainings, 1 of them failed, 0 outcomes reused; no luck" in told
        )
        assert (
            "Fitness was measured on the test images: no accuracy here is on unseen images." in told
        )


def test_json_has_what_scripts_rely_on(search):
    """Everything that is drawn, in full."""
    tree = vlga("report", "first", "--format", "json").json

    assert list(tree) == [
        "search", "rounds", "rungs", "best_so_far", "failures", "genes", "pareto", "fittest",
    ]  # fmt: skip
    assert tree["search"] == vlga("show", "first", "--format", "json").json
    assert [row["label"] for row in tree["rounds"]] == ["0.0", "0.1"]
    assert tree["best_so_far"][-1] == [66, tree["fittest"][0]["fitness"]]
    assert tree["failures"] == {"out_of_memory": 1}
    (gene,) = tree["genes"]
    assert (gene["gene"], gene["moved"]) == ("learning_rate", 0.5)
    assert gene["shares"] == [
        {"allele": 0.05, "all": 0.5, "fittest": 1.0},
        {"allele": 0.1, "all": 0.5, "fittest": 0.0},
    ]
    assert tree["pareto"][0]["id"] == 0
    assert list(tree["fittest"][0]) == [
        "id", "fitness", "parameters", "macs", "depth", "phase", "generation", "rung", "latency_ms",
    ]  # fmt: skip


def test_csv_has_a_row_for_each_generation(search):
    """Never joined."""
    rows = [*csv.DictReader(io.StringIO(vlga("report", "first", "--format", "csv").out))]

    assert [(row["made"], row["networks"], row["failed"]) for row in rows] == [
        ("0.0", "17", "1"),
        ("0.1", "16", "0"),
    ]


class TestPage:
    FIGURES = 7

    def test_has_every_figure_and_needs_nothing_else(self, search):
        """No script, no style, picture or address of another file."""
        told = vlga("report", "first", "--html", "first.html")
        page = Page("first.html")

        assert (told.code, told.err) == (0, "page: first.html\n")
        figures = [json.loads(one) for one in page.scripts if one.startswith("{")]
        assert page.count("figure") == len(figures) == self.FIGURES
        assert all(valid(one)["data"] for one in figures)
        headings = re.findall("<h2>(.*?)</h2>", page.source)
        assert headings == [
            "Best so far",
            "Fitness by generation",
            "Depth over time",
            "What the fittest have in common",
            "Learning curves of the best",
            "Fitness against parameters",
            "Failures",
        ]
        assert not {"link", "iframe", "object", "embed"} & {tag for tag, _ in page.tags}
        for tag, attributes in page.tags:
            for name in ("src", "href", "xlink:href"):
                assert (attributes.get(name) or "#").startswith(("#", "data:")), (tag, attributes)
        assert not re.search(r"url\((?!#)", page.source)
        assert "@import" not in page.source

    def test_has_the_figures_of_the_text(self, search):
        """What was searched, the winner, the best networks, all settings."""
        winner = vlga("report", "first").out.splitlines()[-1]
        vlga("report", "first", "--html", "first.html")
        page = Page("first.html")

        assert winner.removeprefix("winner") in page.text
        assert "1,000 train + 250 validation + 300 test images" in page.text
        settings = re.search(r"<pre>(.*?)</pre>", page.source, re.DOTALL)[1]
        shown = vlga("show", "first", "--format", "json").json
        assert json.loads(settings.replace("&quot;", '"')) == shown["config"]

    def test_is_the_same_twice(self, search):
        """No day and no chance in it."""
        for name in ("a.html", "b.html"):
            vlga("report", "first", "--html", name)

        assert Path("a.html").read_bytes() == Path("b.html").read_bytes()

    def test_shows_text_as_it_is(self):
        """A name of data or search makes no element of its own."""
        begun = record(NASTY)
        fill(NASTY, 4, data=replace(begun.data, name=NASTY), versions={NASTY: NASTY})
        vlga("report", NASTY, "--html", "first.html")
        page = Page("first.html")

        assert page.count("script") == page.count("figure") + 2
        assert page.text.count(NASTY) >= 5

    def test_of_one_that_has_just_begun_or_failed_says_so(self):
        """Without figures that would be empty."""
        store = SqlStore("sqlite:///vlga.db")
        store.create_search(record("new"))
        told = vlga("report", "new", "--html", "new.html")
        new = Page("new.html")
        store.add_candidates("new", [candidate(0)])
        store.add_evaluations("new", [evaluation(0, reason=FailureReason.BUILD)])
        store.close()
        vlga("report", "new", "--html", "failed.html")

        assert told.code == 0
        assert new.count("figure") == new.count("script") == 0
        assert "No network has a fitness yet." in new.text
        assert "No training failed." in new.text
        assert Page("failed.html").count("figure") == 1

    def test_of_a_real_search(self, finished):
        """One that ran to its end, with curves that were trained."""
        told = finished.ask("report", "digits-1", "--html", "real.html")

        assert told.code == 0
        page = Page("real.html")
        assert "Learning curves of the best" in page.source
        winner = finished.ask("show", "digits-1", "--format", "json").json["best"]["id"]
        assert f"The layers of #{winner}" in page.text
        assert "blocks.0.a" in page.text
        assert "What it gets wrong" in page.text
        assert 'src="data:image/png;base64,' in page.source
        assert "after its longer training" in told.out

    def test_a_file_that_cannot_be_written_is_one_line(self, search):
        """With exit code 2."""
        told = vlga("report", "first", "--html", "no/such/folder.html")

        assert (told.code, told.out) == (2, "")
        assert told.err == (
            "vlga: --html must be a file that can be written, but 'no/such/folder.html' cannot: "
            "No such file or directory\n"
        )


class TestOtherFiles:
    """Only a page of vlga is overwritten, and what is refused is refused before any output."""

    def test_its_own_page_is_written_again(self, search):
        """Whole, and with nothing left beside it."""
        for _ in range(2):
            assert vlga("report", "first", "--html", "first.html").code == 0

        assert Page("first.html").source.endswith("</html>\n")
        assert {one.name for one in Path().iterdir()} - DATABASE == {"first.html"}

    @pytest.mark.parametrize("ending", ["", "-wal"])
    @pytest.mark.parametrize("options", [(), ("--force",)])
    def test_the_database_never_is(self, search, ending, options):
        """Whatever it is called, also by force."""
        Path("link.html").symlink_to(f"vlga.db{ending}")
        for name in (f"vlga.db{ending}", str(Path(f"vlga.db{ending}").absolute()), "link.html"):
            told = vlga("report", "first", "--html", name, *options)

            assert (told.code, told.out) == (2, "")
            assert told.err == (
                f"vlga: --html must not be the database in use, but got {name!r}; "
                "choose another name\n"
            )
        assert vlga("show", "first").code == 0

    def test_another_s_file_is_only_by_force(self, search):
        """One line that says how; the file stays as it was."""
        Path("notes.html").write_text("<!DOCTYPE html>mine")
        told = vlga("report", "first", "--html", "notes.html")

        assert (told.code, told.out) == (2, "")
        assert told.err == (
            "vlga: --html must be a new file or one that vlga has made, but 'notes.html' is "
            "another; choose another name, or overwrite it with --force\n"
        )
        assert Path("notes.html").read_text() == "<!DOCTYPE html>mine"

        assert vlga("report", "first", "--html", "notes.html", "--force").code == 0
        assert "Fitness by generation" in Page("notes.html").text


def test_an_unknown_search_is_one_line(search):
    """With the nearest name."""
    told = vlga("report", "frist")

    assert (told.code, told.out) == (2, "")
    assert "did you mean 'first'?" in told.err
