import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.data.split import class_counts, first_equal, stratified_split, stratified_subset

SEEDS = st.integers(0, 2**32)


@st.composite
def label_arrays(draw, min_count=2):
    """Labels in any order, of up to 6 classes with at least `min_count` images each."""
    counts = draw(st.lists(st.integers(min_count, 30), min_size=1, max_size=6))
    labels = np.repeat(np.arange(len(counts)), counts)
    return np.random.default_rng(draw(SEEDS)).permutation(labels)


@given(label_arrays(), st.floats(0.01, 0.99), SEEDS)
def test_split_is_stratified(labels, fraction, seed):
    """Each class is split within one image of its share, and is on both sides."""
    chosen = stratified_split(labels, fraction, seed)
    counts, chosen_counts = class_counts(labels, 1), class_counts(labels[chosen], 1)

    assert chosen.shape == labels.shape
    assert (np.abs(chosen_counts - fraction * counts) <= 1).all()
    assert (chosen_counts >= 1).all()
    assert (chosen_counts < counts).all()


@given(label_arrays(min_count=3), st.floats(0.01, 0.99), SEEDS)
def test_split_leaves_images(labels, fraction, seed):
    """However large the share, as many images of each class are left as asked for."""
    chosen = stratified_split(labels, fraction, seed, leave=2)

    assert (class_counts(labels[~chosen], 1) >= 2).all()
    assert (class_counts(labels[chosen], 1) >= 1).all()


@given(label_arrays(min_count=3), st.floats(0.01, 0.99), st.data(), SEEDS)
def test_copies_stay_together(labels, fraction, data, seed):
    """Of an image and its copies all are chosen or none, and copies change no other's fate."""
    n_copies = data.draw(st.integers(1, 20))
    copied = np.random.default_rng(seed).integers(0, len(labels), n_copies)
    ids = np.concatenate([np.arange(len(labels)), copied])
    with_copies = np.concatenate([labels, labels[copied]])
    chosen = stratified_split(with_copies, fraction, seed, leave=2, ids=ids)

    assert not set(ids[chosen]) & set(ids[~chosen])
    assert (class_counts(labels[chosen[: len(labels)]], 1) >= 1).all()
    assert (class_counts(labels[~chosen[: len(labels)]], 1) >= 2).all()
    assert (chosen[: len(labels)] == stratified_split(labels, fraction, seed, leave=2)).all()


def test_first_equal():
    """Equal images have the index of the first of them, through all parts."""
    a, b, c = np.random.default_rng(0).integers(0, 256, (3, 1, 3, 2, 2), dtype=np.uint8)
    parts = np.concatenate([a, b, a]), np.concatenate([c, b])

    assert first_equal(*parts).tolist() == [0, 1, 0, 3, 1]


@given(label_arrays(), st.data(), SEEDS)
def test_subset_is_stratified(labels, data, seed):
    """A subset has exactly the images asked for, each class within one image of its share."""
    n = data.draw(st.integers(0, len(labels)))
    chosen = stratified_subset(labels, n, seed)
    n_classes = labels.max() + 1
    shares = n * class_counts(labels, n_classes) / len(labels)

    assert chosen.sum() == n
    assert (np.abs(class_counts(labels[chosen], n_classes) - shares) < 1).all()


@pytest.mark.parametrize(
    ("counts", "n", "chosen_counts"),
    [
        ([7, 2, 1], 4, [3, 1, 0]),  # shares 2.8 0.8 0.4
        ([50, 30, 20], 5, [3, 1, 1]),  # shares 2.5 1.5 1.0: of equals the first class
        ([4, 4], 0, [0, 0]),
        ([4, 4], 8, [4, 4]),
    ],
)
def test_places_left_over(counts, n, chosen_counts):
    """Places left over by rounding down go to the classes with the largest remainders."""
    labels = np.repeat(np.arange(len(counts)), counts)
    chosen = stratified_subset(labels, n, 0)

    assert class_counts(labels[chosen], len(counts)).tolist() == chosen_counts


@given(label_arrays(), SEEDS)
def test_deterministic(labels, seed):
    """The same labels and seed give the same choice, and labels are left as they were."""
    before = labels.copy()

    assert (stratified_split(labels, 0.3, seed) == stratified_split(labels, 0.3, seed)).all()
    assert (stratified_subset(labels, 2, seed) == stratified_subset(labels, 2, seed)).all()
    assert (labels == before).all()


def test_seed_matters():
    """Another seed chooses other images, in equal numbers."""
    labels = np.arange(100) % 2
    one, other = stratified_split(labels, 0.5, 1), stratified_split(labels, 0.5, 2)

    assert (one != other).any()
    assert one.sum() == other.sum() == 50


def test_every_image_has_the_same_chance():
    """Over many seeds each image is chosen as often as the others."""
    labels = np.repeat([0, 1], [10, 20])
    times = sum(stratified_split(labels, 0.5, seed).astype(int) for seed in range(2000))

    assert (np.abs(times / 2000 - 0.5) < 0.05).all()  # over 4 standard deviations


def test_same_in_every_process():
    """The choice does not depend on hash randomization or the process."""
    code = (
        "import numpy as np; from workers.data.split import stratified_split;"
        "print(stratified_split(np.arange(12) % 3, 0.5, 1).nonzero()[0].tolist())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }

    assert outputs == {str(stratified_split(np.arange(12) % 3, 0.5, 1).nonzero()[0].tolist())}
