import csv
import io
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.command import vlga
from vlga.config.data import DataConfig
from workers.data import load_dataset


class TestData:
    def test_known_data_sets_are_listed(self):
        """What is built in, and what is not here; how to bring one's own is said aside."""
        table = vlga("data", "list")
        rows = vlga("data", "list", "--format", "json").json
        text = vlga("data", "list", "--format", "csv").out

        assert [line.split()[0] for line in table.out.splitlines()[2:]] == [
            "digits", "mnist", "fashion-mnist", "cifar10", "cifar100", "svhn",
        ]  # fmt: skip
        assert (
            "or your own: --data images.npz (x_train y_train [x_val y_val] [x_test y_test])"
            in table.err
        )
        assert rows[0] == {
            "name": "digits", "shape": "1x8x8", "classes": 10, "train": 1797, "test": 0,
            "found": "built in",
        }  # fmt: skip
        assert [row["name"] for row in csv.DictReader(io.StringIO(text))] == [
            row["name"] for row in rows
        ]

    def test_files_are_looked_for_where_one_says(self, home):
        """An empty folder has none of the published ones."""
        rows = vlga("data", "list", "--data-dir", str(home), "--format", "json").json

        assert {row["found"] for row in rows} == {"built in", None}


def save(path: Path, level: int, size: tuple[int, int] = (20, 20), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new(mode, size, level)
    picture.putpixel((0, 0), 255)
    picture.save(path)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Ten images of one class and six of another: two of those are equal, one is twice as wide."""
    folder = tmp_path_factory.mktemp("data") / "photos"
    for index in range(10):
        save(folder / "chat noir" / f"{index}.png", index)
    for index in range(5):
        save(folder / "狗" / f"{index}.png", 100 + index, mode="L")
    save(folder / "狗" / "wide.jpg", 200, (40, 20))
    shutil.copy(folder / "狗" / "0.png", folder / "狗" / "copy.png")
    return folder


class TestShow:
    def test_what_is_there_and_what_a_search_would_do(self, photos):
        """Classes and their splits, what the files are, copies, and how networks see them."""
        shown = vlga("data", "show", str(photos), "--format", "json").json

        assert shown == {
            "name": "photos",
            "path": str(photos),
            "classes": [
                {"class": "chat noir", "images": 10, "train": 6, "validation": 2, "test": 2},
                {"class": "狗", "images": 7, "train": 5, "validation": 1, "test": 1},
            ],
            "files": {
                "sizes": [
                    {"height": 20, "width": 20, "images": 16},
                    {"height": 20, "width": 40, "images": 1},
                ],
                "kinds": {"RGB": 11, "grey": 6},
                "transparent": 0,
                "turned": 0,
                "broken": [],
            },
            "copies": 1,
            "copies_in_test": 0,
            "copies_of_other_classes": 0,
            "input_shape": [3, 20, 20],
            "cut": True,
            "padded": False,
            "fitness_on": "validation",
            "augment": "crop_flip",
            "problem": None,
        }  # fmt: skip
        dataset = load_dataset(DataConfig(name=str(photos)))
        for split in ("train", "validation", "test"):
            labels = getattr(dataset, f"{split}_labels")
            assert [one[split] for one in shown["classes"]] == np.bincount(labels).tolist()

    def test_on_the_screen(self, photos):
        """The same in words."""
        result = vlga("data", "show", str(photos), "--set", "training.augment=none")

        assert result.code == 0
        assert "photos: class '狗' has only 7 images (5 + 1 + 1 to train, valid" in result.err
        assert result.out.splitlines()[2:] == [
            "chat noir      10      6           2     2",
            "狗              7      5           1     1",
            "all            17     11           3     3",
            "",
            f"where         {photos}",
            "sizes         20x20 to 20x40, 16 of them 20x20",
            "files         11 RGB, 6 grey",
            "networks see  colour of 20x20 pixels, the centre of each",
            "training      takes images as they are; see training.augment",
        ]
        assert "photos: 1 of 17 images are copies of others; copies stay in one split" in result.err

    def test_settings_are_those_of_a_search(self, photos):
        """Another size, and other shares of the splits."""
        settings = ("--set", "data.image_size=8", "--set", "data.test_fraction=0.5")
        shown = vlga("data", "show", str(photos), *settings, "--format", "json").json

        assert shown["input_shape"] == [3, 8, 8]
        assert [one["test"] for one in shown["classes"]] == [5, 3]

    def test_broken_files(self, photos, tmp_path):
        """All are named, and that a search refuses them, unless it is told to leave them out."""
        folder = shutil.copytree(photos, tmp_path / "photos")
        (folder / "chat noir" / "8.png").write_bytes(b"")
        (folder / "chat noir" / "9.png").write_text("a note")
        refused = vlga("data", "show", str(folder))
        skipped = vlga(
            "data", "show", str(folder), "--set", "data.skip_broken=true", "--format", "json"
        )

        assert refused.code == 2
        first, second = f"chat noir{os.sep}8.png", f"chat noir{os.sep}9.png"
        assert (
            f"broken        {first}: it is empty\n"
            f"              {second}: it is no image of a known type\n"
        ) in refused.out
        assert refused.err.splitlines()[-1] == (
            "vlga: the 2 broken of the files of 'photos' must be readable images; repair or "
            "delete them, or leave out such files with --set data.skip_broken=true"
        )
        assert skipped.code == 0
        assert [one["file"] for one in skipped.json["files"]["broken"]] == [
            str(folder / "chat noir" / name) for name in ("8.png", "9.png")
        ]
        assert skipped.json["classes"][0]["images"] == 8

    def test_a_class_of_two_images(self, photos, tmp_path):
        """What is there is shown all the same; then it is refused as a search does."""
        folder = shutil.copytree(photos, tmp_path / "photos")
        for index in range(1, 9):
            (folder / "chat noir" / f"{index}.png").unlink()
        result = vlga("data", "show", str(folder))

        assert result.code == 2
        assert result.out.splitlines()[:3] == [
            "class      images", "─────────  ──────", "chat noir       2",
        ]  # fmt: skip
        assert "class 'chat noir' has 2" in result.err

    def test_no_files_of_images(self):
        """A data set of another kind has no sizes of files."""
        shown = vlga("data", "show", "digits", "--format", "json").json

        assert (shown["path"], shown["files"], shown["augment"]) == ("digits", None, "crop")
        assert sum(one["images"] for one in shown["classes"]) == 1797

    def test_contact_sheet(self, photos, tmp_path):
        """A picture of the images; it replaces an older one, but no other file unless forced."""
        sheet, mine = tmp_path / "sheet.png", tmp_path / "mine.png"
        mine.write_bytes(b"precious")
        for _ in range(2):
            assert vlga("data", "show", str(photos), "--sheet", str(sheet)).code == 0
        refused = vlga("data", "show", str(photos), "--sheet", str(mine))

        with Image.open(sheet) as picture:
            # the second image of the first class: its levels are 1, 0 and 0
            assert picture.size == (8 + 8 * (120 + 8), 8 + 2 * (28 + 120 + 8))
            assert picture.convert("RGB").getpixel((8 + 128 + 60, 8 + 28 + 60)) == (1, 0, 0)
        assert refused.code == 2
        assert (refused.out, mine.read_bytes()) == ("", b"precious")
        assert vlga("data", "show", str(photos), "--sheet", str(mine), "--force").code == 0
        assert mine.read_bytes().startswith(b"\x89PNG")

    def test_what_is_no_data_set(self, tmp_path):
        """The message is a search's."""
        result = vlga("data", "show", str(tmp_path / "none.npz"))

        assert result.code == 2
        assert "does not exist" in result.err
