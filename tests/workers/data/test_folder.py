import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlga.errors import DataError
from workers.data import folder
from workers.data.folder import read_folder

RNG = np.random.default_rng(0)


def pixels(height=6, width=6, channels=3):
    shape = (height, width, channels) if channels > 1 else (height, width)
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def save(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return array


def save_classes(folder, *names, n=3, **shape):
    for name in names:
        for index in range(n):
            save(folder / name / f"{index}.png", pixels(**shape))


class TestLayout:
    def test_class_folders(self, tmp_path):
        """Classes and files are sorted by name, whatever the order they were written in."""
        images = {
            (name, file): save(tmp_path / "pets" / name / file, pixels())
            for name in ("dog", "cat")
            for file in ("b.png", "a.png")
        }
        raw = read_folder(tmp_path / "pets")

        assert (raw.name, raw.classes, raw.test) == ("pets", ("cat", "dog"), None)
        assert raw.train.labels.tolist() == [0, 0, 1, 1]
        assert raw.train.labels.dtype == np.int64
        assert raw.train.images.shape == (4, 3, 6, 6)
        for image, key in zip(raw.train.images, sorted(images), strict=True):
            assert (image.transpose(1, 2, 0) == images[key]).all()

    def test_train_and_test(self, tmp_path, caplog):
        """Folders train and test hold the class folders; others beside them are skipped."""
        save_classes(tmp_path / "train", "cat", "dog", n=3)
        save_classes(tmp_path / "test", "cat", "dog", n=2)
        save_classes(tmp_path / "extra", "cat", "dog")
        raw = read_folder(tmp_path)

        assert raw.train.labels.tolist() == [0, 0, 0, 1, 1, 1]
        assert raw.test.labels.tolist() == [0, 0, 1, 1]
        assert raw.test.images.shape == (4, 3, 6, 6)
        assert raw.validation is None
        assert "skipped other folders than train, test: ['extra']" in caplog.text

    @pytest.mark.parametrize("name", ["val", "valid", "validation"])
    def test_validation(self, tmp_path, caplog, name):
        """A folder of validation images is used as such, whatever of its names it has."""
        save_classes(tmp_path / "train", "cat", "dog", n=3)
        save_classes(tmp_path / "test", "cat", "dog", n=2)
        save_classes(tmp_path / name, "cat", "dog", n=1)
        files = sorted(tmp_path.rglob("*.png"))
        raw = read_folder(tmp_path)
        of_file = {file: np.asarray(Image.open(file)).transpose(2, 0, 1) for file in files}

        assert raw.validation.labels.tolist() == [0, 1]
        for part, folder_name in ((raw.train, "train"), (raw.validation, name), (raw.test, "test")):
            own = [of_file[file] for file in files if file.parts[-3] == folder_name]
            assert (part.images == np.stack(own)).all()
        assert not caplog.records

    def test_train_alone(self, tmp_path):
        """Without a folder test there are no test images."""
        save_classes(tmp_path / "train", "cat", "dog")

        assert read_folder(tmp_path).test is None

    def test_class_called_train(self, tmp_path):
        """A folder called train that holds images is a class."""
        save_classes(tmp_path, "car", "train")

        assert read_folder(tmp_path).classes == ("car", "train")

    def test_other_files(self, tmp_path, caplog):
        """Hidden files and folders are ignored; files that are not images cause a warning."""
        save_classes(tmp_path, "cat", "dog")
        for hidden in (".git", "cat/.thumbnails"):
            (tmp_path / hidden).mkdir()
        (tmp_path / "cat" / ".DS_Store").touch()
        (tmp_path / "cat" / "notes.txt").touch()
        (tmp_path / "README").touch()
        with caplog.at_level(logging.WARNING):
            raw = read_folder(tmp_path)

        assert len(raw.train) == 6
        kind = "images of a known type (.png .jpg .tif and others that Pillow reads)"
        assert [record.message for record in caplog.records] == [
            f"{tmp_path}: skipped 1 .txt, which are no {kind}, such as 'cat/notes.txt'"
        ]

    def test_one_line_for_all_that_is_skipped(self, tmp_path, caplog):
        """However many classes have other files, one line tells them by kind."""
        save_classes(tmp_path, "cat", "dog", "eel")
        for name in ("cat", "dog", "eel"):
            for file in ("a.txt", "b.txt", "c.csv", "Makefile", "d.x", "e.y"):
                (tmp_path / name / file).touch()
        read_folder(tmp_path)

        (line,) = caplog.messages
        assert "skipped 6 .txt, 3 .csv, 3 .x and 6 more" in line

    def test_folders_in_a_class(self, tmp_path, caplog):
        """Images of a class may be in folders of its own, at any depth; links are not followed."""
        for name in ("cat", "dog"):
            save(tmp_path / name / "b.png", np.full((4, 4), 2, np.uint8))
            save(tmp_path / name / "2021" / "jan" / "a.png", np.full((4, 4), 1, np.uint8))
            save(tmp_path / name / ".cache" / "a.png", pixels())
        (tmp_path / "dog" / "2021" / "all").symlink_to(tmp_path)
        raw = read_folder(tmp_path)

        assert raw.train.labels.tolist() == [0, 0, 1, 1]
        assert raw.train.images[:, 0, 0, 0].tolist() == [2, 1, 2, 1]
        assert "skipped 1 more, which are no images" in caplog.text

    def test_no_class_folders(self, tmp_path):
        """A folder with images but no class folders is refused."""
        save(tmp_path / "a.png", pixels())

        with pytest.raises(DataError, match="must have a folder of images for each class, but has"):
            read_folder(tmp_path)

    def test_empty_class(self, tmp_path):
        """A class folder without images is refused by name, with what it has instead."""
        save_classes(tmp_path, "cat", "dog")
        (tmp_path / "eel").mkdir()

        with pytest.raises(DataError, match=r"folder '.*eel' must have .*, but is empty; if it"):
            read_folder(tmp_path)
        for file in ("a.heic", "b.HEIC", "c.txt"):
            (tmp_path / "eel" / file).touch()
        with pytest.raises(DataError, match=r"folder '.*eel' must have .* has 2 .heic, 1 .txt; if"):
            read_folder(tmp_path)

    def test_a_folder_of_the_system(self, caplog):
        """A folder of anything else ends in one line, without others before it."""
        with pytest.raises(DataError, match=r"must have at least one image|must be readable"):
            read_folder(Path("/etc"))

        assert not caplog.records

    @pytest.mark.parametrize("test_classes", [["cat"], ["cat", "dog", "eel"]])
    def test_other_test_classes(self, tmp_path, test_classes):
        """Train and test must have the same classes; those of only one are named."""
        save_classes(tmp_path / "train", "cat", "dog")
        save_classes(tmp_path / "test", *test_classes)

        with pytest.raises(DataError, match=r"only in one of them: (dog|eel)$"):
            read_folder(tmp_path)

    def test_unreadable_folder(self, tmp_path):
        """A folder that cannot be listed is refused."""
        with pytest.raises(DataError, match="must be readable, but it is not: No such file"):
            read_folder(tmp_path / "absent")


class TestPixels:
    @pytest.mark.parametrize(
        "suffix",
        ["png", "jpg", "JPEG", "jfif", "webp", "bmp", "gif", "tif", "TIFF", "jp2", "pgm", "tga"],
    )
    def test_formats(self, tmp_path, suffix):
        """Every format is read, whatever the case of its suffix."""
        for name, level in (("black", 0), ("white", 255)):
            save(
                tmp_path / name / f"a.{suffix}",
                np.full((8, 8, 3)[: 2 if suffix == "pgm" else 3], level, np.uint8),
            )
        raw = read_folder(tmp_path)

        assert raw.train.images.shape == (2, 1, 8, 8)
        assert np.abs(raw.train.images[:, 0, 0, 0].astype(int) - [0, 255]).max() <= 2

    def test_grey(self, tmp_path):
        """Images are grey if each one is, even where a file stores three equal channels."""
        save_classes(tmp_path, "cat", channels=1)
        for index in range(3):
            save(tmp_path / "dog" / f"{index}.png", np.repeat(pixels(channels=1)[..., None], 3, 2))
        raw = read_folder(tmp_path)

        assert raw.train.images.shape == (6, 1, 6, 6)
        assert raw.train.images.flags.c_contiguous

    def test_one_in_colour(self, tmp_path):
        """One image in colour makes the data set RGB, and leaves grey images grey."""
        save_classes(tmp_path, "cat", channels=1)
        save_classes(tmp_path, "dog", channels=3)
        raw = read_folder(tmp_path)

        assert raw.train.images.shape == (6, 3, 6, 6)
        assert (raw.train.images[:3] == raw.train.images[:3, :1]).all()

    @pytest.mark.parametrize("suffix", ["png", "tif"])
    @pytest.mark.parametrize("most", [900, 4095, 65535])
    def test_sixteen_bits(self, tmp_path, caplog, suffix, most):
        """Grey levels of 16 bits are scaled by the folder's highest, so that few bits suffice."""
        levels = np.linspace(0, most, 64).astype(np.uint16).reshape(8, 8)
        save(tmp_path / "a" / f"a.{suffix}", levels // 2)
        save(tmp_path / "b" / f"b.{suffix}", levels)
        caplog.set_level(logging.INFO)
        raw = read_folder(tmp_path)
        dim, bright = raw.train.images[:, 0]

        assert raw.levels == (0, most)
        assert np.abs(bright - levels * (255 / most)).max() <= 0.5
        assert np.abs(dim - levels // 2 * (255 / most)).max() <= 0.5
        said = f"their levels from 0 to {most:,} become 0 to 255"
        assert caplog.messages == [f"{tmp_path.name}: 2 have more than 8 bits a pixel; {said}"]

    def test_levels_below_zero(self, tmp_path):
        """Floats and negative levels, as of tomographs, are scaled from the lowest one."""
        image = np.linspace(-1000, 3000, 64, dtype=np.float32).reshape(8, 8)
        for name in "ab":
            save(tmp_path / name / "a.tif", image)

        assert (read_folder(tmp_path).train.images[0, 0, [0, 7], [0, 7]] == [0, 255]).all()

    def test_no_numbers(self, tmp_path):
        """A file of floats that are no numbers is broken."""
        for name in "ab":
            save(tmp_path / name / "a.tif", np.full((8, 8), np.nan, np.float32))

        with pytest.raises(DataError, match="pixels that are no finite numbers"):
            read_folder(tmp_path)

    def test_all_black(self, tmp_path):
        """Where all deep pixels are black there is nothing to scale."""
        for name in "ab":
            save(tmp_path / name / "a.tif", np.zeros((8, 8), np.uint16))

        assert not read_folder(tmp_path).train.images.any()

    @pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
    def test_transparent_pixels_are_white(self, tmp_path, mode):
        """A drawing in black on a transparent ground does not vanish."""
        image = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
        image.putpixel((1, 2), (0, 0, 0, 255))
        for name in "ab":
            (tmp_path / name).mkdir()
            image.convert(mode).save(tmp_path / name / "a.png")
        picture = read_folder(tmp_path).train.images[0, 0]

        assert picture[2, 1] == 0
        assert (picture == 255).sum() == 15

    def test_upright(self, tmp_path):
        """A photograph that is stored lying is turned, and its size is that of the turned one."""
        exif = Image.Exif()
        exif[0x0112] = 6  # the camera was held upright
        lying = np.zeros((4, 8), np.uint8)
        lying[:, :4] = 255
        save(tmp_path / "a" / "a.png", lying, exif=exif)
        save(tmp_path / "b" / "a.png", np.rot90(lying, -1))
        raw = read_folder(tmp_path)

        assert raw.train.images.shape == (2, 1, 8, 4)
        assert (raw.train.images[0] == raw.train.images[1]).all()

    def test_animation(self, tmp_path):
        """Of an animation the first picture is taken."""
        frames = [Image.new("L", (4, 4), level) for level in (10, 200)]
        for name in "ab":
            (tmp_path / name).mkdir()
            frames[0].save(tmp_path / name / "a.gif", save_all=True, append_images=frames[1:])

        assert (read_folder(tmp_path).train.images == 10).all()

    @pytest.mark.parametrize(
        "write",
        [
            lambda path: path.write_bytes(b""),
            lambda path: path.write_text("not an image"),
            lambda path: path.write_bytes(path.read_bytes()[:-30]),
            lambda path: path.write_bytes(path.read_bytes()[:40]),
        ],
    )
    @pytest.mark.parametrize("image_size", ["auto", 4])
    def test_unreadable_image(self, tmp_path, write, image_size):
        """An image that is empty, foreign or cut is refused by its file's name."""
        save_classes(tmp_path, "cat", "dog")
        write(tmp_path / "dog" / "1.png")

        with pytest.raises(DataError, match=r"dog.1.png' must be a readable image, but it is not"):
            read_folder(tmp_path, image_size)

    def test_bomb(self, tmp_path, monkeypatch):
        """An image of absurdly many pixels is refused before it is decoded."""
        save_classes(tmp_path, "cat", "dog")
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)

        with pytest.raises(DataError, match=r"must be readable images, .* decompression bomb"):
            read_folder(tmp_path)


class TestSize:
    def test_equal_sizes_are_kept(self, tmp_path, caplog):
        """Small images of one size are used as they are, also if they are not square."""
        save_classes(tmp_path, "cat", "dog", height=64, width=90)
        caplog.set_level(logging.INFO)

        assert read_folder(tmp_path).train.images.shape == (6, 3, 64, 90)
        assert not caplog.records

    def test_large_photos_of_one_size(self, tmp_path, caplog):
        """They are scaled to 64 pixels on the shorter side and not cropped, and that is said."""
        save_classes(tmp_path, "cat", "dog", height=240, width=320)
        caplog.set_level(logging.INFO)

        assert read_folder(tmp_path).train.images.shape == (6, 3, 64, 85)
        said = f"{tmp_path.name}: 6 images of 240x320 brought to 64x85"
        assert caplog.messages == [f"{said}; change with --set data.image_size=N"]

    def test_median_shorter_side(self, tmp_path):
        """Images of different sizes are brought to the median shorter side."""
        for name in ("cat", "dog"):
            for index, (height, width) in enumerate([(10, 40), (30, 12), (20, 20)]):
                save(tmp_path / name / f"{index}.png", pixels(height, width))

        assert read_folder(tmp_path).train.images.shape == (6, 3, 12, 12)

    def test_at_most_64(self, tmp_path, caplog):
        """Images of different large sizes are cropped to 64 pixels, and that is said."""
        save_classes(tmp_path, "cat", height=100, width=150)
        save_classes(tmp_path, "dog", height=200, width=150)
        caplog.set_level(logging.INFO)

        assert read_folder(tmp_path).train.images.shape == (6, 3, 64, 64)
        said = (
            f"{tmp_path.name}: 6 images of 100x150 to 200x150 brought to 64x64, the centre of each"
        )
        assert caplog.messages == [f"{said}; change with --set data.image_size=N"]

    def test_sizes_of_test_images_count(self, tmp_path):
        """Train and test images come out in the same size."""
        save_classes(tmp_path / "train", "cat", "dog", height=8, width=8)
        save_classes(tmp_path / "test", "cat", "dog", height=12, width=12, n=1)
        raw = read_folder(tmp_path)

        assert raw.train.images.shape[1:] == raw.test.images.shape[1:] == (3, 8, 8)

    @pytest.mark.parametrize("suffix", ["png", "jpg"])
    @pytest.mark.parametrize("size", [4, 16, 100])
    def test_image_size_always_applies(self, tmp_path, suffix, size):
        """A size that is asked for is had, whether that shrinks or enlarges the images."""
        for name in ("cat", "dog"):
            save(tmp_path / name / f"a.{suffix}", pixels(40, 60))

        assert read_folder(tmp_path, size).train.images.shape == (2, 3, size, size)

    def test_centre_crop(self, tmp_path):
        """What sticks out on the longer side is cut off at both ends."""
        wide = np.zeros((10, 30), np.uint8)
        wide[:, 8:22] = 255  # a little wider than the crop, for the resampling
        for name in ("cat", "dog"):
            save(tmp_path / name / "a.png", wide)

        assert (read_folder(tmp_path, 5).train.images == 255).all()

    def test_height_and_width(self, tmp_path):
        """A size that is no square keeps more of photographs that are none."""
        save_classes(tmp_path, "cat", "dog", height=12, width=16)

        assert read_folder(tmp_path, [6, 8]).train.images.shape == (6, 3, 6, 8)

    def test_padded(self, tmp_path, caplog):
        """The whole of an image is there, black beside it, and that is said."""
        caplog.set_level(logging.INFO)
        for name in ("cat", "dog"):
            save(tmp_path / name / "a.png", np.full((5, 20), 255, np.uint8))
        raw = read_folder(tmp_path, 8, padded=True)

        assert raw.is_padded
        assert raw.train.images[0, 0].tolist() == [[0] * 8] * 3 + [[255] * 8] * 2 + [[0] * 8] * 3
        assert caplog.messages == [
            f"{tmp_path.name}: 2 images of 5x20 brought to 8x8, with black around"
        ]

    def test_too_large_for_the_memory(self, tmp_path):
        """Images that do not fit the memory are refused before they are read."""
        save_classes(tmp_path, "cat", "dog")

        with pytest.raises(DataError, match=r"6 of 10{8}x10{8} need .* data.image_size=auto"):
            read_folder(tmp_path, 10**8)

    def test_where_memory_is_short_images_are_smaller(self, tmp_path, monkeypatch, caplog):
        """As large as fits, and that is said; if nothing does, that is."""
        caplog.set_level(logging.INFO)
        save_classes(tmp_path, "cat", "dog", height=64, width=64)

        def read_with(free):
            monkeypatch.setattr(folder, "available_memory_bytes", lambda: free)
            return read_folder(tmp_path).train.images.shape

        assert read_with(2 * 6 * 3 * 64 * 64) == (6, 3, 64, 64)
        assert not caplog.messages
        assert read_with(2 * 6 * 3 * 64 * 64 - 1) == (6, 3, 48, 48)
        assert "brought to 48x48, as more would not fit in memory; change" in caplog.text
        with pytest.raises(DataError, match=r"must fit in memory, but 6 of 16x16 need"):
            read_with(2 * 6 * 3 * 16 * 16 - 1)


class TestBroken:
    def test_all_are_listed(self, tmp_path):
        """All broken files are counted, whatever is wrong with each, and the first five named."""
        save_classes(tmp_path, "cat", "dog", n=5)
        for index in range(5):
            file = tmp_path / "cat" / f"{index}.png"
            file.write_bytes(file.read_bytes()[: -30 if index % 2 else 5])
        (tmp_path / "dog" / "2.png").write_bytes(b"")

        with pytest.raises(DataError, match=r"^6 files must be .* and 1 more; repair") as raised:
            read_folder(tmp_path)

        assert all(f"{index}.png" in str(raised.value) for index in range(5))
        assert "skip_broken=true" in str(raised.value)
        assert "\n" not in str(raised.value)

    def test_skipped(self, tmp_path, caplog):
        """Those that can be read are used with their own labels, and what is left out is said."""
        save_classes(tmp_path / "train", "cat", "dog", n=4)
        save_classes(tmp_path / "test", "cat", "dog", n=2)
        whole = read_folder(tmp_path)
        (tmp_path / "train" / "cat" / "3.png").write_bytes(b"")
        for file in (tmp_path / "train" / "dog" / "0.png", tmp_path / "test" / "cat" / "1.png"):
            file.write_bytes(file.read_bytes()[:-30])
        raw = read_folder(tmp_path, skip_broken=True)

        assert raw.train.labels.tolist() == [0, 0, 0, 1, 1, 1]
        assert (raw.train.images == whole.train.images[[0, 1, 2, 5, 6, 7]]).all()
        assert (raw.test.images == whole.test.images[[0, 2, 3]]).all()
        assert f"{tmp_path}: skipped 3 broken: '" in caplog.text

    def test_all_are_broken(self, tmp_path):
        """Where nothing is left, nothing can be skipped."""
        for name in ("cat", "dog"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "a.png").touch()

        with pytest.raises(DataError, match="2 files must be readable images"):
            read_folder(tmp_path, skip_broken=True)
