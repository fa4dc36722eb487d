"""``vlga predict`` on real image files, with the winner of a real search."""

import csv
import io
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from db.store import SqlStore
from tests.support.command import SMALL, vlga
from tests.support.records import candidate, evaluation, record
from vlga.config.data import DataConfig
from workers.data import load_dataset
from workers.inference.plain import run_source


@pytest.fixture
def digits(tmp_path):
    """The first test images of digits, a file each."""
    dataset = load_dataset(DataConfig())
    folder = tmp_path / "digits"
    folder.mkdir()
    for number, image in enumerate(dataset.test_images[:120]):
        Image.fromarray(image[0]).save(folder / f"{number:03}.png")
    return folder


def test_is_right_as_often_as_the_search_said(finished, tmp_path):
    """On the test images, each read from a file of its own."""
    dataset = load_dataset(DataConfig(train_limit=100))
    for number, image in enumerate(dataset.test_images):
        Image.fromarray(image[0]).save(tmp_path / f"{number:04}.png")
    said = finished.ask("show", "digits-1", "--format", "json").json["best"]["test_accuracy"]
    told = finished.ask("predict", "digits-1", str(tmp_path), "--format", "json")
    found = [int(one["classes"][0]["class"]) for one in told.json]

    assert told.code == 0
    assert np.mean(np.array(found) == dataset.test_labels) == pytest.approx(said)


def test_gives_the_most_probable_classes_of_each_image(finished, digits):
    """In order, files as they are named, folders by name; of all classes probabilities add to 1."""
    first, second = digits / "001.png", digits / "000.png"
    told = finished.ask(
        "predict", "digits-1", str(first), str(second), "--top", "10", "--format", "json"
    )
    shown = [[one["probability"] for one in row["classes"]] for row in told.json]

    assert [row["file"] for row in told.json] == [str(first), str(second)]
    for probabilities in shown:
        assert len(probabilities) == 10
        assert probabilities == sorted(probabilities, reverse=True)
        assert sum(probabilities) == pytest.approx(1)

    told = finished.ask("predict", "digits-1", str(digits), "--top", "2", "--format", "csv")
    rows = [*csv.DictReader(io.StringIO(told.out))]
    assert [*rows[0]] == ["file", "class", "probability"]
    assert [row["file"] for row in rows[::2]] == [str(one) for one in sorted(digits.iterdir())]


def test_any_picture_is_brought_to_the_network_s_shape(finished, tmp_path):
    """Of any size, in colour, with transparent pixels."""
    pixels = np.random.default_rng(0).integers(0, 255, (30, 50, 4), np.uint8)
    Image.fromarray(pixels, "RGBA").save(tmp_path / "photo.png")
    told = finished.ask("predict", "digits-1", str(tmp_path / "photo.png"))

    assert told.code == 0, told.err
    assert told.out.splitlines()[0].split() == ["file", "class", "probability"]


@pytest.mark.parametrize("name", ["x", "pictures"])
def test_an_archive_is_classified_as_its_images_in_files_are(finished, digits, tmp_path, name):
    """Of one size with the search's, grey or in colour, with a channel or without."""
    images = np.stack([np.asarray(Image.open(file)) for file in sorted(digits.iterdir())])
    kinds = {"grey": images, "channel": images[..., None], "colour": images[..., None].repeat(3, 3)}
    for kind, array in kinds.items():
        more = {"y": np.zeros(120)} if name == "x" else {}
        np.savez(tmp_path / f"{kind}.npz", **{name: array}, **more)
    in_files = finished.ask("predict", "digits-1", str(digits), "--format", "json").json

    for kind in kinds:
        archive = str(tmp_path / f"{kind}.npz")
        told = finished.ask("predict", "digits-1", archive, "--format", "json")
        assert told.code == 0, told.err
        assert [one["file"] for one in told.json] == [f"{archive}[{n}]" for n in range(120)]
        assert [one["class"] for one in told.json] == [one["class"] for one in in_files]


def test_json_has_the_class_and_its_probability_beside_all_that_were_asked_for(finished, digits):
    """A script needs no list for the usual question."""
    told = finished.ask(
        "predict", "digits-1", str(digits / "000.png"), "--top", "2", "--format", "json"
    )
    (row,) = told.json

    assert {"class": row["class"], "probability": row["probability"]} == row["classes"][0]
    assert row["problem"] is None


def test_where_no_file_can_be_read_there_is_nothing_to_show(finished, tmp_path):
    """Each is named, and the exit code is 1."""
    files = [tmp_path / f"{number}.png" for number in range(2)]
    for file in files:
        file.write_bytes(b"no picture")
    told = finished.ask("predict", "digits-1", *map(str, files), "--format", "json")

    assert told.code == 1
    assert [(one["class"], one["classes"]) for one in told.json] == [(None, [])] * 2
    assert told.err.count("is no readable image: it is no image of a known type") == 2
    assert told.err.endswith("vlga: 2 files could not be read\n")


def test_what_cannot_be_read_is_named_and_the_rest_classified(finished, digits):
    """Exit code 1."""
    (digits / "broken.png").write_bytes(b"no picture")
    Image.fromarray(np.full((8, 8), 40_000, np.uint16)).save(digits / "deep.png")
    told = finished.ask("predict", "digits-1", str(digits), "--format", "csv")

    assert told.code == 1
    assert len(told.out.splitlines()) == 121
    assert "broken.png' is no readable image: it is no image of a known type" in told.err
    assert "deep.png' is no readable image: it has more than 8 bits a pixel, which" in told.err
    assert told.err.endswith("vlga: 2 files could not be read\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("nothing digits", "a search must be in the database, but 'nothing' is not"),
        ("digits-1:99 digits", "but 'digits-1' has no 99; its ids go from 0 to 1"),
        pytest.param(
            f"digits-1:{'9' * 5000} digits",
            "or in committee, but got 'digits-1:99",
            id="long",
        ),
        (
            "digits-1:one digits",
            "SEARCH:ID must end in a number, or in committee, but got 'digits-1:one'",
        ),
        ("digits-1 gone.png", "an image must be a file or in a folder, but 'gone.png' is neither"),
        ("digits-1 empty", "a folder must have images, but 'empty' has none"),
        ("digits-1 floats.npz", "'floats.npz': images must be uint8 (n, height, width) or"),
        ("digits-1 flat.npz", "1, 3 or 4 channels, but got uint8 (4, 4)"),
        ("digits-1 two.npz", "'two.npz' must have its images in the array x, or one array only"),
        ("digits-1 objects.npz", "but reading it failed: it has Python's objects"),
        ("digits-1 no.npz", "'no.npz' must be a NumPy archive of plain arrays"),
    ],
)
def test_mistakes_are_one_line(finished, home, words, message):
    """And exit code 2."""
    Path("empty").mkdir()
    Path("no.npz").write_bytes(b"no archive")
    np.savez("floats.npz", x=np.zeros((2, 8, 8)))
    np.savez("flat.npz", np.zeros((4, 4), np.uint8))
    np.savez("two.npz", a=np.zeros(1), b=np.zeros(1))
    np.savez("objects.npz", x=np.array([None]))
    told = finished.ask("predict", *words.split())

    assert (told.code, told.err.count("\n")) == (2, 1), told.err
    assert message in told.err


def test_images_of_16_bits_are_scaled_as_the_search_s_were(home):
    """By levels that its weights know, as they know how images are made to fit, and in exports."""
    rng = np.random.default_rng(0)
    for name, low in (("dark", 0), ("bright", 2000)):
        (home / "deep" / name).mkdir(parents=True)
        for number in range(12):
            pixels = rng.integers(low, low + 1000, (8, 8)).astype(np.uint16)
            pixels[0, 0] = low + 999
            Image.fromarray(pixels).save(home / "deep" / name / f"{number}.png")
    small = [word.replace("data.train_limit=100", "training.batch_size=4") for word in SMALL]
    assert vlga("search", *small, "--data", "deep", "--set", "data.fit=pad").code == 0
    told = vlga("predict", "deep-1", "deep", "--format", "csv")
    exported = vlga("export", "deep-1", "--to", "out")

    assert (told.code, exported.code) == (0, 0), told.err
    assert len(told.out.splitlines()) == 25
    source = Path("out/model.py").read_text()
    assert "LOW, HIGH = 0.0, 2999.0\n" in source
    Image.fromarray(rng.integers(0, 3000, (8, 20)).astype(np.uint16)).save("wide.png")
    module = run_source(source, Path("out/model.py").resolve())
    with torch.inference_mode():
        logits = module["load_network"]()(module["load_image"]("wide.png")[None])
    (wide,) = vlga("predict", "deep-1", "wide.png", "--format", "json").json
    assert "image = ImageOps.pad(" in source
    assert wide["probability"] == pytest.approx(logits.softmax(1).max().item(), abs=1e-5)


def test_a_network_is_named_by_its_id(finished, digits):
    """With the weights of its training in the search, and the winner with those of its longer."""
    (winner,) = {finished.ask("show", "digits-1", "--format", "json").json["best"]["id"]}
    kinds = {
        number: {
            one["kind"]
            for one in finished.ask("individual", "digits-1", number, "--format", "json").json[
                "artifacts"
            ]
        }
        for number in "01"
    }
    first = next(number for number in "01" if "weights" in kinds[number])
    told = {
        name: finished.ask("predict", name, str(digits), "--format", "csv")
        for name in ("digits-1", f"digits-1:{winner}", f"digits-1:{first}")
    }

    assert kinds[str(winner)] >= {"final_weights"}
    assert all(one.code == 0 for one in told.values()), told
    assert told["digits-1"].out == told[f"digits-1:{winner}"].out
    if first != str(winner):
        assert told["digits-1"].out != told[f"digits-1:{first}"].out


def test_a_search_without_a_trained_winner_has_nothing_to_predict_with(home, digits):
    """Its line says what to do, also for a candidate whose weights nobody kept."""
    with closing(SqlStore("sqlite:///vlga.db")) as store:
        store.create_search(record("first"))
        store.add_candidates("first", [candidate(0)])
        store.add_evaluations("first", [evaluation(0)], best_candidate_id=0)

    for name, message in {
        "first": "a search must have trained its winner longer for it to be of use, but 'first' "
        "has not; go on with: vlga resume first",
        "first:0": "a candidate's weights must have been kept, but those of 0 in 'first' were not; "
        "kept are those of: none",
    }.items():
        told = vlga("predict", name, str(digits))
        assert (told.code, told.err) == (2, f"vlga: {message}\n")
