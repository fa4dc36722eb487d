"""``vlga export``: the winner of a real search, as files that need no vlga."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import onnxruntime
import pytest
import torch
from PIL import Image

from db.store import SqlStore
from tests.support.command import vlga_in
from tests.support.readmes import ROOT
from vlga.app.trained import find_trained
from vlga.config.data import DataConfig
from workers.data import load_dataset
from workers.inference import export
from workers.inference.classifier import Classifier
from workers.inference.plain import Reference, run_source
from workers.networks.committee import trained_network

#: What would have to be installed for it.
FOREIGN = {"vlga", "workers", "db", "torchvision", "sklearn", "ray", "pandas", "onnx", "click"}
PROGRAM = """
import runpy, sys
sys.path.insert(0, ".")
sys.argv = ["predict.py", *sys.argv[1:]]
runpy.run_path("predict.py", run_name="__main__")
print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def names(folder: str = ".") -> list[str]:
    """Give what is in a folder."""
    return sorted(path.name for path in Path(folder).iterdir())


@pytest.fixture(scope="module")
def exported(finished, tmp_path_factory):
    """The winner in every format: its folder."""
    folder = tmp_path_factory.mktemp("exported")
    told = vlga_in(
        folder, "export", "digits-1", "--to", "out", "--format", "all", "--db", finished.url
    )
    assert told.code == 0, told.err
    assert told.out == (
        "out: README.md, model.onnx, model.pt2, model.py, predict.py, weights.safetensors\n"
        "next:  python out/predict.py IMAGE...\n"
    )
    return folder / "out"


@pytest.fixture(scope="module")
def images():
    """The test images of digits, (n, 1, 8, 8) uint8."""
    return load_dataset(DataConfig(train_limit=100)).test_images


@pytest.fixture(scope="module")
def logits(finished, images):
    """What the trained network says of them."""
    with closing(SqlStore(finished.url)) as store:
        trained = find_trained(store, "digits-1")
    return Classifier([trained_network(trained.plan, trained.weights)]).logits(images)


@pytest.mark.parametrize("kind", ["source", "onnx", "program"])
def test_gives_the_logits_of_the_trained_network(exported, images, logits, kind):
    """Of all test images at once, and of one alone."""
    if kind == "source":
        model = exported / "model.py"
        network = run_source(model.read_text(), model)["load_network"]()
    elif kind == "program":
        network = torch.export.load(exported / "model.pt2").module()
    else:
        session = onnxruntime.InferenceSession(exported / "model.onnx")

        def network(batch):
            return torch.from_numpy(session.run(None, {"images": batch.numpy()})[0])

    batch = torch.from_numpy(images) / 255
    with torch.inference_mode():
        torch.testing.assert_close(network(batch), logits, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(network(batch[:1]), logits[:1], rtol=1e-4, atol=1e-4)


def test_its_program_needs_no_vlga(exported, images, logits, tmp_path):
    """It names the class of each image, and loads nothing of what a search needs."""
    for number, image in enumerate(images[:20]):
        Image.fromarray(image[0]).save(tmp_path / f"{number}.png")
    files = [str(tmp_path / f"{number}.png") for number in range(20)]
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, *files], cwd=exported, capture_output=True, text=True
    )
    rows = [line.split() for line in run.stdout.splitlines()]

    assert run.returncode == 0, run.stderr
    assert [row[0] for row in rows] == files
    assert [int(row[1]) for row in rows] == logits[:20].argmax(1).tolist()
    assert {"torch", "PIL", "safetensors"} <= {*run.stderr.split()}
    assert not {*run.stderr.split()} & FOREIGN


def test_its_code_passes_ruff_and_mypy(exported):
    """The project's own rules, but that a program may print, and lies in no package.

    Types of torch are taken as they come: reading them takes mypy a minute.
    """
    config, commands = str(ROOT / "pyproject.toml"), Path(sys.executable).parent
    types = ["mypy", "--config-file=", "--disallow-untyped-defs", "--follow-imports=skip"]
    for words, folder in (
        (["ruff", "check", "--config", config, "--ignore", "INP001,T201"], exported),
        (["ruff", "format", "--isolated", "--check"], exported),
        (types, exported),
    ):
        run = subprocess.run(
            [commands / words[0], *words[1:], exported / "model.py", exported / "predict.py"],
            cwd=folder,
            env={**os.environ, "MYPYPATH": str(exported)},
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stdout


def test_its_card_says_where_it_comes_from(exported, finished):
    """The search, the data by its fingerprint, and both accuracies with their standard errors."""
    card = (exported / "README.md").read_text()
    shown = finished.ask("show", "digits-1", "--format", "json").json
    best = shown["best"]

    assert f"# Network {best['id']} of the search digits-1" in card
    assert f"| images | digits, 10 classes, fingerprint `{shown['data_fingerprint']}` |" in card
    assert f"| validation accuracy | {best['fitness']:.4f} ± 0.0" in card
    tested = f"{best['test_accuracy']:.4f} ± {best['test_standard_error']:.4f}"
    assert f"| test accuracy | {tested} on 359 images never used before |" in card
    assert "| training | 1 epoch on 100 images |" in card


def test_the_classes_are_in_every_format(exported):
    """In their order."""
    classes = [str(number) for number in range(10)]
    session = onnxruntime.InferenceSession(exported / "model.onnx")
    extra = {"classes.json": ""}
    torch.export.load(exported / "model.pt2", extra_files=extra)

    assert json.loads(session.get_modelmeta().custom_metadata_map["classes"]) == classes
    assert json.loads(extra["classes.json"]) == classes


@pytest.mark.parametrize("bound", ["parameters={parameters}", "macs={macs}", "latency=9s"])
def test_under_a_bound_it_is_the_fittest_that_costs_no_more(finished, home, bound):
    """Of those whose weights were kept; stderr says which it is."""
    known = sorted(
        finished.ask("top", "digits-1", "--format", "json").json, key=lambda row: row["macs"]
    )
    one = max(known, key=lambda row: row["fitness"]) if bound == "latency=9s" else known[0]
    told = finished.ask("export", "digits-1", "--to", "out", "--under", bound.format(**one))

    assert told.code == 0, told.err
    assert f"# Network {one['id']} of the search digits-1" in Path("out/README.md").read_text()
    assert told.err.startswith(
        f"digits-1:{one['id']} is the fittest within the bound: fitness {one['fitness']:.4f}, "
    )
    assert ("ms an image on one CPU thread of this machine" in told.err) == ("latency" in bound)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("digits-1 --to out --under parameters=9", "has at most 9 parameters; the least that one"),
        ("digits-1 --to out --under latency=1us", "has at most 0.001 ms an image on one CPU"),
        ("digits-1 --to out --under macs=5X", "such as latency=5ms, but got 'macs=5X'"),
        ("digits-1 --to out --under latency=5", "such as latency=5ms, but got 'latency=5'"),
        ("digits-1 --to out --under size=5", "such as latency=5ms, but got 'size=5'"),
        ("digits-1 --to out --under macs=0", "such as latency=5ms, but got 'macs=0'"),
        ("digits-1:0 --to out --under macs=5k", "whose network it chooses, but got 'digits-1:0'"),
        ("digits-1 --to full", "--to must be a new or an empty folder, but 'full' has 'file'"),
        ("digits-1 --to full/file", "--to must be a folder, but 'full/file' is none"),
        ("digits-1 --to full/file/out", "--to must be a folder, but 'full/file/out' is none"),
        ("digits-1:99 --to out", "but 'digits-1' has no 99; its ids go from 0 to 1"),
        ("nothing --to out", "a search must be in the database, but 'nothing' is not"),
        ("digits-1 --to out --format pickle", "'pickle' is not one of 'source', 'onnx', 'program'"),
    ],
)
def test_mistakes_are_one_line(finished, home, words, message):
    """With exit code 2, and nothing is written."""
    Path("full").mkdir()
    Path("full/file").touch()
    told = finished.ask("export", *words.split())

    assert (told.code, told.err.count("\n")) == (2, 1), told.err
    assert message in told.err
    assert names() == ["full"]


def test_a_library_that_is_missing_is_named(finished, home, monkeypatch):
    """With the command that installs it, before anything is done."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    told = finished.ask("export", "digits-1", "--to", "out", "--format", "all")

    assert told.code == 2
    assert told.err == (
        "vlga: --format onnx must have onnx, onnxscript, onnxruntime, but onnxruntime is not "
        "installed; run: pip install onnx onnxscript onnxruntime\n"
    )
    assert not names()


@pytest.mark.parametrize(("kind", "is_new"), [("source", True), ("program", False)])
def test_another_network_than_the_trained_one_is_not_written(
    finished, home, monkeypatch, kind, is_new
):
    """One line, exit code 1, and the folder is as it was."""
    monkeypatch.setattr(Reference, "agrees", lambda *_: False)
    if not is_new:
        Path("out").mkdir()
    told = finished.ask("export", "digits-1", "--to", "out", "--format", kind)

    assert (told.code, told.err.count("\n")) == (1, 1), told.err
    assert f"--format {kind} must give the logits of the trained network" in told.err
    assert names() == ([] if is_new else ["out"])
    assert is_new or not names("out")


def test_what_torch_cannot_write_is_one_line(finished, home, monkeypatch):
    """Whatever an exporter raises."""

    def fail(*_arguments, **_more):
        raise IndexError("of no use\nand more")

    monkeypatch.setattr(export.torch.export, "save", fail)
    told = finished.ask("export", "digits-1", "--to", "out", "--format", "program")

    assert told.code == 1
    assert told.err == (
        "vlga: --format program must be possible for this network, but writing it failed: "
        "IndexError: of no use; choose another format\n"
    )
    assert not names()
