import logging
import re

import numpy as np
import pytest

from vlga.errors import DataError
from workers.data.npz import read_npz

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (6, 5, 4), dtype=np.uint8)
LABELS = np.array([7, 3, 3, 7, 9, 9])


def save(folder, **arrays):
    path = folder / "my images.npz"
    np.savez(path, **arrays)
    return path


def test_reads_train_and_test(tmp_path):
    """Classes are the sorted labels, labels their indices, and test images are kept apart."""
    path = save(
        tmp_path, x_train=IMAGES, y_train=LABELS, x_test=IMAGES[:2], y_test=LABELS[:2], extra=[1]
    )
    raw = read_npz(path)

    assert (raw.name, raw.classes) == ("my images", ("3", "7", "9"))
    assert raw.train.labels.tolist() == [1, 0, 0, 1, 2, 2]
    assert raw.train.labels.dtype == np.int64
    assert (raw.train.images[:, 0] == IMAGES).all()
    assert raw.test.labels.tolist() == [1, 0]
    assert (raw.test.images[:, 0] == IMAGES[:2]).all()


@pytest.mark.parametrize(("x", "y"), [("x", "y"), ("X", "y"), ("X_train", "Y_TRAIN")])
def test_other_names(tmp_path, x, y):
    """What scikit-learn's users call their arrays is known too."""
    raw = read_npz(save(tmp_path, **{x: IMAGES, y: LABELS}))

    assert (raw.train.images[:, 0] == IMAGES).all()
    assert raw.test is None


def test_exact_names_come_first(tmp_path):
    """Beside an array of the right name, one that might stand for it is another."""
    raw = read_npz(save(tmp_path, X=IMAGES[:1], x_train=IMAGES, y_train=LABELS))

    assert len(raw.train) == 6


def test_validation(tmp_path):
    """Images to validate on are kept apart."""
    arrays = {"x_train": IMAGES, "y_train": LABELS, "x_val": IMAGES[:2], "y_val": LABELS[:2]}
    raw = read_npz(save(tmp_path, **arrays))

    assert (raw.validation.images[:, 0] == IMAGES[:2]).all()
    assert raw.validation.labels.tolist() == [1, 0]
    assert raw.test is None


def test_string_labels(tmp_path):
    """Labels may be strings, and (n, 1) as Keras keeps them; without test images there are none."""
    labels = np.array(["dog", "cat", "cat", "dog", "eel", "eel"])[:, None]
    raw = read_npz(save(tmp_path, x_train=IMAGES, y_train=labels))

    assert raw.classes == ("cat", "dog", "eel")
    assert raw.train.labels.tolist() == [1, 0, 0, 1, 2, 2]
    assert raw.test is None


@pytest.mark.parametrize(
    ("shape", "input_shape"),
    [
        ((6, 5, 4), (1, 5, 4)),
        ((6, 5, 7, 1), (1, 5, 7)),
        ((6, 5, 7, 3), (3, 5, 7)),
        ((6, 5, 7, 4), (4, 5, 7)),
        ((6, 1, 5, 7), (1, 5, 7)),
        ((6, 3, 5, 7), (3, 5, 7)),
        ((6, 4, 5, 7), (4, 5, 7)),
        ((6, 3, 5, 4), (4, 3, 5)),
        ((6, 1, 1, 1), (1, 1, 1)),
    ],
)
def test_channel_axis(tmp_path, shape, input_shape):
    """An axis of 1, 3 or 4 holds the channels; where both could, the last one does."""
    images = RNG.integers(0, 256, shape, dtype=np.uint8)
    raw = read_npz(save(tmp_path, x_train=images, y_train=LABELS))

    assert raw.train.images.shape == (6, *input_shape)
    assert raw.train.images.flags.c_contiguous


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_are_scaled(tmp_path, dtype):
    """Floats in [0, 1] become the nearest of 256 levels."""
    images = (IMAGES / 255).astype(dtype)
    raw = read_npz(save(tmp_path, x_train=images, y_train=LABELS))

    assert raw.train.images.dtype == np.uint8
    assert (raw.train.images[:, 0] == IMAGES).all()


def test_floats_are_rounded(tmp_path):
    """A float between two levels becomes the nearer one."""
    images = np.array([0, 0.3, 0.7, 1, 99.6, 254.7]).reshape(6, 1, 1) / 255
    raw = read_npz(save(tmp_path, x_train=images, y_train=LABELS))

    assert raw.train.images.ravel().tolist() == [0, 0, 1, 1, 100, 255]


def test_whole_numbers_are_kept(tmp_path):
    """Whole numbers in [0, 255] of any type are used as they are."""
    raw = read_npz(save(tmp_path, x_train=IMAGES.astype(np.int32), y_train=LABELS))

    assert (raw.train.images[:, 0] == IMAGES).all()


def test_sixteen_bits(tmp_path, caplog):
    """Levels of 16 bits are scaled by the largest of all, also in the test images, and it is said.

    Of a camera with 12 bits no more than that is left; whole numbers up to 255 stay as they are.
    """
    caplog.set_level(logging.INFO)
    deep = IMAGES.astype(np.uint16) * 15
    path = save(tmp_path, x_train=deep // 2, y_train=LABELS, x_test=deep, y_test=LABELS)
    raw = read_npz(path)

    assert raw.test.images.dtype == np.uint8
    assert raw.test.images.max() == 255
    assert np.abs(raw.test.images[:, 0] - deep * (255 / deep.max())).max() <= 0.501
    assert np.abs(raw.train.images[:, 0] - deep // 2 * (255 / deep.max())).max() <= 0.501
    assert caplog.messages == [f"{path}: levels of 16 bits up to {deep.max():,} become 0 to 255"]

    kept = read_npz(save(tmp_path, x_train=IMAGES.astype(np.uint16), y_train=LABELS))
    assert (raw.levels, kept.levels) == ((0, deep.max()), None)
    assert (kept.train.images[:, 0] == IMAGES).all()


WITH_NAN = np.where(IMAGES[0, 0, 0] == IMAGES, np.nan, 0.5)
TEST = {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES, "y_test": LABELS}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y_train": LABELS}, "must have the arrays x_train, y_train, but 'x_train' is missing"),
        ({"x_train": IMAGES}, "'y_train' is missing; it has x_train"),
        ({"pictures": IMAGES, "y": LABELS}, "'x_train' is missing; it has pictures, y"),
        ({f"a{i}": LABELS for i in range(20)}, "it has a0, a1, .*, a9 and more"),
        ({}, "'x_train' is missing; it has none"),
        ({**TEST, "y_test": None}, "x_test, y_test, but 'y_test' is missing"),
        ({**TEST, "x_test": None}, "x_test, y_test, but 'x_test' is missing"),
        ({"x_train": IMAGES[:0], "y_train": LABELS[:0]}, "at least 1, but got 0 images"),
        ({"x_train": IMAGES, "y_train": LABELS[:5]}, "but got 6 images and 5 labels"),
        ({**TEST, "y_test": LABELS[:5]}, "x_test and y_test .* but got 6 images and 5 labels"),
        ({"x_train": np.uint8(1), "y_train": LABELS}, "but got 0 images and 6 labels"),
        ({"x_train": WITH_NAN, "y_train": LABELS}, r"floats in \[0, 1\], but got .* \[nan, nan\]"),
        ({"x_train": IMAGES * 1.0, "y_train": LABELS}, r"x_train must be .* got float64 in \[0.0"),
        ({"x_train": IMAGES - 300.0, "y_train": LABELS}, "x_train must be whole numbers"),
        ({"x_train": IMAGES * 1j, "y_train": LABELS}, "must be numbers, but got complex128"),
        ({"x_train": IMAGES[:, 0], "y_train": LABELS}, r"x_train must be .* but got \(6, 4\)"),
        ({"x_train": IMAGES[..., None, None], "y_train": LABELS}, r"but got \(6, 5, 4, 1, 1\)"),
        ({"x_train": IMAGES.reshape(6, 5, 2, 2), "y_train": LABELS}, r"but got \(6, 5, 2, 2\)"),
        ({"x_train": IMAGES[:, :0], "y_train": LABELS}, r"but got \(6, 0, 4\)"),
        ({"x_train": IMAGES, "y_train": LABELS * 1.0}, r"y_train must be \(n,\) .* \(6,\) float64"),
        ({"x_train": IMAGES, "y_train": np.eye(6, dtype=int)}, r"but got \(6, 6\) int64"),
        ({"x_train": IMAGES, "y_train": LABELS.astype(object)}, "failed: it has Python's objects"),
        ({**TEST, "y_test": LABELS + 1}, "only labels of y_train, but got 8"),
        ({**TEST, "y_test": LABELS.astype(str)}, "only labels of y_train, but got '7'"),
        ({**TEST, "x_test": IMAGES[:, :4]}, r"shape of x_train's \(1, 5, 4\), but got \(1, 4, 4\)"),
    ],
)
def test_refused(tmp_path, arrays, message):
    """Whatever does not fit is named, with the file, the rule and the value."""
    path = save(tmp_path, **{key: array for key, array in arrays.items() if array is not None})

    with pytest.raises(DataError, match=message) as raised:
        read_npz(path)

    assert repr(str(path)) in str(raised.value)


def write_garbage(path):
    path.write_bytes(b"no archive")


def write_one_array(path):
    with path.open("wb") as file:
        np.save(file, IMAGES)


def write_half(path):
    np.savez(path, x_train=IMAGES, y_train=LABELS)
    path.write_bytes(path.read_bytes()[:300])


def write_with_flipped_bit(path):
    np.savez_compressed(path, x_train=IMAGES, y_train=LABELS)
    data = bytearray(path.read_bytes())
    data[150] ^= 255
    path.write_bytes(data)


@pytest.mark.parametrize(
    "write", [write_garbage, write_one_array, write_half, write_with_flipped_bit]
)
def test_corrupt_file(tmp_path, write):
    """A file that is no sound archive is refused by name."""
    path = tmp_path / "broken.npz"
    write(path)

    with pytest.raises(DataError, match=f"^'{re.escape(str(path))}' must be a NumPy archive"):
        read_npz(path)
