import pickle
from dataclasses import replace

import numpy as np

from vlga.ports.data import DataSummary
from workers.data import Dataset


def a_dataset(*, seed=0, classes=("cat", "dog")):
    rng = np.random.default_rng(seed)

    def images(n):
        return rng.integers(0, 256, (n, 3, 4, 5), dtype=np.uint8)

    def labels(n):
        return np.arange(n) % 2

    return Dataset(
        name="pets",
        classes=classes,
        train_images=images(6),
        train_labels=labels(6),
        validation_images=images(4),
        validation_labels=labels(4),
        test_images=images(2),
        test_labels=labels(2),
    )


def test_summary():
    """The summary holds shape, classes and the length of every split."""
    dataset = a_dataset()

    assert dataset.n_classes == 2
    assert dataset.summary() == DataSummary(
        name="pets",
        fingerprint=dataset.fingerprint,
        input_shape=(3, 4, 5),
        classes=("cat", "dog"),
        n_train=6,
        n_validation=4,
        n_test=2,
    )


class TestFingerprint:
    def test_equal_for_equal_data(self):
        """Equal arrays and classes give equal fingerprints of 16 hexadecimal digits."""
        assert a_dataset().fingerprint == a_dataset().fingerprint
        assert len(a_dataset().fingerprint) == 16
        int(a_dataset().fingerprint, 16)

    def test_sees_every_array(self):
        """One other pixel or label in any split gives another fingerprint."""
        dataset = a_dataset()
        fingerprints = {dataset.fingerprint}
        for split in ("train", "validation", "test"):
            for kind in ("images", "labels"):
                array = getattr(dataset, f"{split}_{kind}").copy()
                array.flat[0] ^= 1
                fingerprints.add(replace(dataset, **{f"{split}_{kind}": array}).fingerprint)

        assert len(fingerprints) == 7

    def test_sees_classes(self):
        """Other class names give another fingerprint; the data set's name does not."""
        dataset = a_dataset()

        assert a_dataset(classes=("cat", "cow")).fingerprint != dataset.fingerprint
        assert replace(dataset, name="other").fingerprint == dataset.fingerprint


def test_arrays_are_pickled_out_of_band():
    """The arrays leave the pickle as buffers, which is how an object store shares them."""
    dataset, buffers = a_dataset(), []
    data = pickle.dumps(dataset, protocol=5, buffer_callback=buffers.append)
    copy = pickle.loads(data, buffers=[buffer.raw().toreadonly() for buffer in buffers])

    assert len(buffers) == 6
    assert np.shares_memory(copy.train_images, dataset.train_images)
    assert copy.fingerprint == dataset.fingerprint
