"""What a search's winner, or its committee, says of new images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from db.store import SqlStore
from vlga.app.trained import find_committee

__all__ = ["Prediction", "predict"]

#: Images that go through the network at once.
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a network says of one image.

    Attributes:
        file: of the image; in an archive with its number, ``photos.npz[3]``.
        classes: the most probable ones with their probabilities in [0, 1], the most probable first.
        problem: why the file could not be read; empty if it could.
    """

    file: str
    classes: tuple[tuple[str, float], ...] = ()
    problem: str = ""


def predict(
    store: SqlStore, name: str, paths: Sequence[Path], n_classes: int = 1
) -> Iterator[Prediction]:
    """Classify images with a search's trained network.

    Each is brought to the shape of the search's images, as those of a folder are.

    Args:
        store: where the search is.
        name: ``SEARCH``, ``SEARCH:ID`` or ``SEARCH:committee``, see `find_committee`.
        paths: image files, folders of them, and ``.npz`` archives (`find_pictures`).
        n_classes: that are given of each image, at least 1.

    Raises:
        SearchNotFound, NoIndividual, ConfigError, StoreError: as `find_committee`; or the weights
            are no weights, or another network's.
        DataError: as `find_pictures`.
    """
    import numpy as np

    from workers.data.image_file import BrokenImageError
    from workers.data.pictures import find_pictures, read_pictures

    networks, pictures = find_committee(store, name), find_pictures(paths)
    data = networks[0].data
    from workers.inference.classifier import Classifier  # loads torch, which takes seconds
    from workers.networks.committee import trained_network

    members = []
    for one in networks:
        with one.must_fit():
            members.append(trained_network(one.plan, one.weights))
    classifier = Classifier(members)
    read = read_pictures(pictures, data.input_shape, classifier.levels, padded=classifier.padded)
    while some := [*islice(read, _AT_ONCE)]:
        images = [image for _, image in some if not isinstance(image, BrokenImageError)]
        found = iter(classifier.probabilities(np.stack(images)) if images else ())
        for picture, image in some:
            if isinstance(image, BrokenImageError):
                yield Prediction(picture.name, problem=str(image))
                continue
            ranked = sorted(zip(data.classes, next(found), strict=True), key=lambda one: -one[1])
            yield Prediction(picture.name, tuple(ranked[:n_classes]))
