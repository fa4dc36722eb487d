"""A search as a classifier of scikit-learn: `fit` finds a network, `predict` asks it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from numbers import Integral
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from db.connection.urls import require_lasting
from vlga.app.ready import new_search
from vlga.app.searches import run_search
from vlga.app.trained import find_committee
from vlga.config.load import load_config
from vlga.config.settings import SearchConfig
from vlga.errors import ConfigError, TooManyFailures, shown
from vlga.notebook.interrupt import interrupted_once
from vlga.notebook.result import SearchResult
from vlga.notebook.rows import Layout, as_rows, layout_of_rows
from vlga.notebook.searching import run_shown
from vlga.ports.observer import Event
from workers.data import split_dataset
from workers.data.arrays import Array, in_eight_bits, levels_of
from workers.data.dataset import LabelledImages, RawDataset

__all__ = ["NetworkClassifier"]

#: Images that go through the network at once.
_AT_ONCE = 256

#: What the images of a program are called.
_DATA_NAME = "arrays"


class NetworkClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # it has no types
    """A convolutional network for images, found by a search as `vlga.search`.

        cross_val_score(vlga.NetworkClassifier(seconds=60), X, y)

    X is images: (n, height, width), (n, height, width, channels) or (n, channels, height, width)
    with 1, 3 or 4 channels. It may be rows of pixels, too, (n, features), as a pipeline passes
    them on: each is an image of `image_shape`, or else a square one, or else, which is logged, one
    of height 1. uint8 is taken as it is. Of other numbers the lowest in `fit` becomes black, the
    highest white, with 256 levels in all: to scale features one by one before does not help.

    `fit` keeps a part of the images to choose the network by and another, `data.test_fraction`, to
    test it on; it ends in a longer training on all images but the latter.

    Args:
        seconds: that `fit` may take; nine minutes if None.
        evaluations: trainings after which the search ends, if not before; None for any number.
            With it and a whole number as `random_state`, `fit` finds the same network again, as
            long as it does not run out of time.
        random_state: a whole number is the search's seed; as everywhere in scikit-learn, None and a
            ``RandomState`` give another one at each `fit`.
        n_jobs: trainings at a time. None or 1: one, in this process. More: in processes of Ray; -1:
            as many as there is room for.
        image_shape: of a row of pixels: (height, width), (height, width, channels) or (channels,
            height, width).
        settings: dotted names to values, such as ``{"training.augment": "none"}``, of ``vlga config
            --example``.
        db: the URL of a database that keeps the search; None keeps none.
        verbose: whether to show what happens.

    Attributes:
        classes_: (n_classes,), sorted.
        n_features_in_: pixels of an image, of all its channels.
        feature_names_in_: (n_features_in_,), if X was a table with names of columns.
        image_shape_: (channels, height, width) of an image.
        levels_: which become black and white.
        fitness_: in [0, 1], by which the network was chosen.
        test_accuracy_: in [0, 1], on images that neither chose nor trained it.
        search_: the search as a `SearchResult`; None unless `db` keeps it.
    """

    classes_: Array
    n_features_in_: int
    image_shape_: tuple[int, int, int]
    levels_: tuple[float, float]
    fitness_: float
    test_accuracy_: float
    search_: SearchResult | None

    def __init__(
        self,
        seconds: float | None = None,
        *,
        evaluations: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        image_shape: tuple[int, ...] | None = None,
        settings: Mapping[str, Any] | None = None,
        db: str | None = None,
        verbose: bool = False,
    ) -> None:
        self.seconds = seconds
        self.evaluations = evaluations
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.image_shape = image_shape
        self.settings = settings
        self.db = db
        self.verbose = verbose

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:  # noqa: N803  # scikit-learn's name
        """Search for a network for these images, and train it longer.

        Args:
            X: images, at least three of each class that are no copies.
            y: (n,) classes: numbers or strings.

        Raises:
            ConfigError: a setting is unknown or has a wrong value.
            DataError: a class has too few images.
            ValueError: X or y is not what scikit-learn takes, or has one class only.
            TooManyFailures: no network could be trained.
            StoreError: the database is away, or an outcome could not be recorded.
            KeyboardInterrupt: on Ctrl-C; with `db`, `fit` takes over what is finished if it is
                called again.
        """
        config = self._config()
        given, shape = as_rows(X)
        rows, labels = validate_data(self, given, y, ensure_min_features=2)
        check_classification_targets(labels)
        classes, indices = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(
                "y must have at least 2 classes to tell apart, but it has only one class, "
                f"{shown(classes[0])}"
            )
        layout = Layout(shape) if shape else layout_of_rows(rows.shape[1], self.image_shape)
        images = layout.images(rows)
        levels = levels_of(images)
        pixels = in_eight_bits(images, levels)
        names = tuple(str(value) for value in classes)
        raw = RawDataset(_DATA_NAME, names, LabelledImages(pixels, indices.astype(np.int64)))
        dataset = split_dataset(raw, config.data)
        with (
            interrupted_once(),
            self._database() as url,
            new_search(config, url, dataset=dataset) as ready,
        ):
            outcome = run_shown(ready, url) if self.verbose else run_search(ready, _show_nothing)
            final = None if outcome.final is None else outcome.final.winner
            if final is None or not final.completed:
                raise TooManyFailures(
                    f"the winner's longer training failed: {final.message if final else 'none'}"
                )
            trained = find_committee(ready.store, ready.record.name)
            kept = SearchResult(ready.record.name, url)
        together, alone = trained[0].committee_accuracy, trained[0].test_accuracy
        accuracy = alone if together is None else together
        assert accuracy is not None
        self.classes_, self.levels_ = classes, levels
        self.image_shape_, self._layout = layout.shape, layout
        winner = outcome.winner.id
        self.fitness_ = next(one.fitness for one in trained if one.candidate_id == winner)
        self.test_accuracy_ = accuracy
        self.search_ = None if self.db is None else kept
        self._networks = [(one.plan, one.weights) for one in trained]
        return self

    def predict(self, X: npt.ArrayLike) -> Array:  # noqa: N803
        """Give the most probable class of each image, (n,).

        Args:
            X: images of the size of those in `fit`, or rows of as many pixels.

        Raises:
            NotFittedError: `fit` was not called.
            ValueError: they are others.
        """
        probabilities = self.predict_proba(X)
        classes: Array = self.classes_[probabilities.argmax(axis=1)]
        return classes

    def predict_proba(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:  # noqa: N803
        """Give each image's probability of each of `classes_`, (n, n_classes) in [0, 1].

        Args:
            X: as of `predict`, as are the errors.
        """
        from workers.inference.classifier import Classifier  # loads torch
        from workers.networks.committee import trained_network

        check_is_fitted(self)
        given, shape = as_rows(X)
        rows = validate_data(self, given, reset=False)
        if shape not in (None, self.image_shape_):
            raise ValueError(
                f"images must be {'x'.join(map(str, self.image_shape_))} as in fit, "
                f"but X has images of {'x'.join(map(str, shape))} (channels, height, width)"
            )
        images = (Layout(shape) if shape else self._layout).images(rows)
        pixels = in_eight_bits(images, self.levels_)
        classifier = Classifier([trained_network(*one) for one in self._networks])
        # float64: in float32 the sum of a thousand classes is 1 to four digits only.
        parts = [
            classifier.logits(pixels[start : start + _AT_ONCE]).double().softmax(1).cpu().numpy()
            for start in range(0, len(pixels), _AT_ONCE)
        ]
        return np.concatenate(parts)

    def __sklearn_tags__(self) -> Any:
        """Say that images have three axes or two, and that time ends a search, unless it is told.

        See scikit-learn's developer guide for what its tags are.
        """
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.non_deterministic = self.evaluations is None
        return tags

    def _config(self) -> SearchConfig:
        """Give the search's settings. Raises `ConfigError`."""
        settings = self.settings or {}
        n_jobs = effective_n_jobs(self.n_jobs)
        workers: dict[str, Any] = {}
        if not any(key.startswith("workers.") for key in settings):
            workers = {
                "workers.inline": n_jobs == 1,
                "workers.workers": n_jobs if n_jobs > 1 and self.n_jobs != -1 else None,
            }
        config = load_config(
            overrides={
                "seed": _seed(self.random_state),
                "budget.seconds": self.seconds,
                "budget.evaluations": self.evaluations,
                "data.name": _DATA_NAME,
                **workers,
                **settings,
            }
        )
        if not config.final.epochs:
            raise ConfigError("[final] epochs must be at least 1 for fit, but got epochs=0")
        return config

    @contextmanager
    def _database(self) -> Iterator[str]:
        """Give the URL of the database: the one asked for, or one that is gone after the block."""
        if self.db is not None:
            require_lasting(self.db)
            yield self.db
            return
        with tempfile.TemporaryDirectory(prefix="vlga-") as folder:
            yield f"sqlite:///{folder}/vlga.db"


def _seed(random_state: Any) -> int:
    """Give a search's seed: the number itself, or one that is drawn.

    Raises:
        ValueError: it is nothing that scikit-learn takes.
    """
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def _show_nothing(_: Event) -> None:
    """Observe a search without a word."""
