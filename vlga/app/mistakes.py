"""What a search's winner gets wrong on the test images."""

from __future__ import annotations

from db.store import SqlStore
from vlga.app.evaluators import load_data
from vlga.app.trained import find_trained
from vlga.errors import DataError
from vlga.ports.mistakes import Mistakes

__all__ = ["find_mistakes"]

#: Images that go through the network at once.
_AT_ONCE = 256


def find_mistakes(store: SqlStore, search: str) -> Mistakes:
    """Let a search's winner classify the test images again, and count.

    Args:
        store: where the search is.
        search: its name.

    Raises:
        SearchNotFound, ConfigError, StoreError: as `find_trained`.
        DataError: the images cannot be read, or are others.
    """
    import numpy as np

    trained = find_trained(store, search)
    dataset = load_data(store.find_search(search).config)
    if dataset.fingerprint != trained.data.fingerprint:
        raise DataError(
            f"mistakes are counted on the images of {search!r}, but {dataset.name!r} has "
            "others now; bring them back"
        )
    from workers.data.dataset import LabelledImages
    from workers.inference.classifier import Classifier  # loads torch, which takes seconds
    from workers.inference.mistakes import count_mistakes
    from workers.networks.committee import trained_network

    with trained.must_fit():
        classifier = Classifier([trained_network(trained.plan, trained.weights)])
    images = dataset.test_images
    probabilities = np.concatenate(
        [
            classifier.probabilities(images[start : start + _AT_ONCE])
            for start in range(0, len(images), _AT_ONCE)
        ]
    )
    tested = LabelledImages(images, dataset.test_labels)
    return count_mistakes(dataset.classes, tested, probabilities)
