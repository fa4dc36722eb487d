"""What a search's winner says of new images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from db.read.folder import files_folder
from db.store import SqlStore
from vlga.errors import ConfigError, StoreError
from vlga.execution.artifacts import ArtifactFolder
from vlga.networks.phenotype import plan_of
from vlga.ports.evaluator import Weights

__all__ = ["Prediction", "predict"]

#: Images that go through the network at once.
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a network says of one image.

    Attributes:
        file: of the image.
        classes: the most probable ones with their probabilities in [0, 1], the most probable first.
        problem: why the file could not be read; empty if it could.
    """

    file: Path
    classes: tuple[tuple[str, float], ...] = ()
    problem: str = ""


def predict(
    store: SqlStore, name: str, paths: Sequence[Path], n_classes: int = 1
) -> Iterator[Prediction]:
    """Classify images with a search's winner, after its longer training.

    Each is scaled and cut to the shape of the search's images, as those of a folder are.

    Args:
        store: where the search is.
        name: of the search.
        paths: image files, and folders of them.
        n_classes: that are given of each image, at least 1.

    Raises:
        SearchNotFound: there is no such search.
        ConfigError: it has no winner that was trained longer.
        StoreError: the winner's weights are gone, or are not what was written.
        DataError: a path is neither an image nor a folder that has some.
    """
    import numpy as np

    from workers.data.image_file import BrokenImageError
    from workers.data.pictures import image_files, read_pictures
    from workers.training.predict import Classifier

    data, named = store.find_search(name).data, image_files(paths)
    weights = _final_weights(store, name)
    genome = store.candidates(name)[weights.candidate_id].genome
    try:
        classifier = Classifier(plan_of(genome, data.input_shape, len(data.classes)), weights.data)
    except (ValueError, RuntimeError) as error:
        raise StoreError(
            f"the weights of candidate {weights.candidate_id} of {name!r} must fit this version's "
            f"networks, but: {str(error).splitlines()[0]}; begin another search with its best "
            f"networks: vlga search --like {name}"
        ) from error
    files = iter(read_pictures(named, data.input_shape))
    while some := [*islice(files, _AT_ONCE)]:
        images = [image for _, image in some if not isinstance(image, BrokenImageError)]
        found = iter(classifier.probabilities(np.stack(images)) if images else ())
        for file, image in some:
            if isinstance(image, BrokenImageError):
                yield Prediction(file, problem=str(image))
                continue
            ranked = sorted(zip(data.classes, next(found), strict=True), key=lambda one: -one[1])
            yield Prediction(file, tuple(ranked[:n_classes]))


def _final_weights(store: SqlStore, name: str) -> Weights:
    """Read the weights of the winner's last longer training."""
    best = store.find_search(name).best_candidate_id
    kept = [
        one
        for one in store.artifacts(name)
        if (one.candidate_id, one.kind) == (best, "final_weights")
    ]
    if not kept:
        raise ConfigError(
            f"a search must have trained its winner to classify images, but {name!r} has not; "
            f"go on with: vlga resume {name}"
        )
    return ArtifactFolder(files_folder(store.engine), name).load(kept[-1])
