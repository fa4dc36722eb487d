"""The notebook that comes with vlga, and a search that is interrupted, in a real kernel."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import vlga.notebook

FILE = Path(vlga.notebook.__file__).with_name("digits.ipynb")
#: What takes 90 seconds in the notebook takes two here, in the kernel itself.
SMALL = {
    "budget.evaluations": 2,
    "data.train_limit": 100,
    "final.epochs": 1,
    "limits.max_macs": 100_000,
    "strategy": "random_search",
    "training.epochs": 1,
    "workers.inline": True,
}
INTERRUPTED = """
cut = vlga.search("digits", name="cut", settings=SMALL | {"budget.evaluations": 10_000})
print(cut.status, len(cut.population()) > 0, cut.best is not None)
"""


class Person(NotebookClient):
    """Executes a notebook, keeps what the kernel sends, and stops the search that goes on.

    More than once, as the panel still shows it for a while.
    """

    def process_message(self, msg, cell, cell_index):
        self.sent.setdefault(cell_index, []).append(msg)
        if re.search(r"cut .*[1-9]\d* trained", str(msg["content"]), re.DOTALL):
            os.kill(self.km.provisioner.pid, signal.SIGINT)
        return super().process_message(msg, cell, cell_index)


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(FILE, as_version=4)


@pytest.fixture(scope="module")
def person(notebook, tmp_path_factory):
    """After the notebook, and after a search that was interrupted."""
    folder = tmp_path_factory.mktemp("notebook")
    executed = nbformat.from_dict(json.loads(json.dumps(notebook)))
    for cell in executed.cells:
        for seconds in ("seconds=90", "seconds=30"):
            cell.source = cell.source.replace(seconds, "settings=SMALL")
    executed.cells.insert(0, nbformat.v4.new_code_cell(f"SMALL = {SMALL}"))
    executed.cells.append(nbformat.v4.new_code_cell(INTERRUPTED))
    environment = {key: os.environ[key] for key in os.environ if not key.startswith("VLGA_")}
    person = Person(executed, timeout=600, resources={"metadata": {"path": str(folder)}})
    person.sent = {}
    person.folder = folder
    person.execute(env=environment | {"PYTHONPATH": str(Path(vlga.__file__).parents[1])})
    return person


def cell_of(person, text):
    """Give the number of the cell that has this text, and the cell."""
    return next((n, cell) for n, cell in enumerate(person.nb.cells) if text in cell.source)


def test_it_is_stored_as_it_was_written(notebook):
    """Without outputs, which nobody would keep up to date."""
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]

    assert [cell for cell in code if cell.outputs or cell.execution_count] == []


def test_a_search_is_one_output_that_changes(person):
    """It has shown how far the search is; its head and its winner stay."""
    number, cell = cell_of(person, 'vlga.search("digits", settings')
    shown = [
        one["content"]["data"]["text/plain"]
        for one in person.sent[number]
        if one["msg_type"] in ("display_data", "update_display_data")
    ]

    assert len(cell.outputs) == 1
    assert "starting the workers" in shown[0]
    assert any("training the winner #" in text for text in shown)
    assert re.match("digits-1  random_search, seed 0, on digits: ", shown[-1])
    assert re.search(r"winner #\d  validation accuracy 0\.\d+", shown[-1])
    assert re.search(r"test accuracy 0\.\d+ ± ", shown[-1])
    assert "starting the workers" not in shown[-1]
    assert cell.outputs[0].data["text/plain"] == shown[-1]
    assert '<pre style="white-space: pre-wrap">' in cell.outputs[0].data["text/html"]


def test_every_cell_shows_what_it_says(person):
    """The winner, a table, a page with figures, predictions, files, scores."""

    def shown(text):
        (output,) = cell_of(person, text)[1].outputs
        return output.data

    assert shown("result.best")["text/plain"].startswith("Best(id=")
    assert shown("sort_values")["text/html"].count("<tr") == 3
    assert "<iframe srcdoc=" in shown("result.report()")["text/html"]
    assert shown("result.predict")["text/html"].count("new_images.npz[") == 10
    assert "digits-network/model.py" in shown("result.export")["text/plain"]
    assert (person.folder / "digits-network" / "model.py").is_file()
    assert shown("result.model")["text/plain"].startswith("Network(")
    assert len(re.findall(r"0\.\d", shown("cross_val_score")["text/plain"])) == 3
    assert shown("vlga.open")["text/plain"].startswith("'digits-1: completed, winner #")


def test_the_stop_button_gives_what_was_found(person):
    """The cell goes on: what is finished is saved."""
    _, cell = cell_of(person, "10_000")
    searching, printed = cell.outputs

    assert "cut is interrupted; what is finished is saved" in searching.data["text/plain"]
    assert printed.text == "interrupted True True\n"
