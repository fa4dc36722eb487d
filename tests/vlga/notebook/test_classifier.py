"""A search as a classifier of scikit-learn."""

from __future__ import annotations

import pickle
import tempfile

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import check_estimator

import vlga
from vlga.errors import TooManyFailures
from vlga.ports.evaluation import FailureReason
from workers.evaluators import inline

#: One network, trained for as long as it needs to learn what a test wants learned.
QUICK = {
    "strategy": "random_search",
    "training.epochs": 1,
    "training.augment": "none",
    "training.batch_size": 16,
    "final.epochs": 8,
}
#: A known one, for digits.
SMALL = {**QUICK, "limits.max_macs": 100_000}
#: One convolution, for scikit-learn's dozens of fits to points in a plane.
TINY = {
    **QUICK,
    "population.founders": [],
    "population.max_blocks": 1,
    "space.network.stem": "none",
    "space.network.learning_rate": 1.6,
    "space.block.channels_a": 8,
    "space.block.include_b": False,
}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty folder, where temporary files go, too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("VLGA_DB", "sqlite:///must-not-be-used.db")
    return tmp_path


def classifier(settings=SMALL, **more):
    return vlga.NetworkClassifier(evaluations=1, random_state=0, settings=settings, **more)


@pytest.fixture(scope="module")
def digits():
    """300 images (n, 8, 8) with levels from 0 to 16, and their classes."""
    images, labels = load_digits(return_X_y=True)
    return images[:300].reshape(-1, 8, 8), labels[:300]


@pytest.fixture(scope="module")
def fitted(digits):
    return classifier().fit(*digits)


def test_it_is_an_estimator_of_scikit_learn(monkeypatch):
    """All checks pass; none is expected to fail."""
    monkeypatch.delenv("SCIPY_ARRAY_API", raising=False)  # no arrays of torch and others
    outcomes = check_estimator(classifier(TINY), on_skip=None)

    assert len(outcomes) > 50
    others = [one["check_name"] for one in outcomes if one["status"] != "passed"]
    assert others == ["check_array_api_input"]


def test_it_learns_images(fitted, digits, home):
    """It says how sure it is, keeps nothing on the disk, and travels."""
    images, labels = digits
    probabilities = fitted.predict_proba(images)

    assert fitted.image_shape_ == (1, 8, 8)
    assert fitted.n_features_in_ == 64
    assert fitted.levels_ == (0, 16)
    assert fitted.classes_.tolist() == list(range(10))
    assert 0 < fitted.test_accuracy_ <= 1
    assert fitted.score(images, labels) > 0.5
    assert (fitted.predict(images) == probabilities.argmax(1)).all()
    assert (pickle.loads(pickle.dumps(fitted)).predict_proba(images) == probabilities).all()
    assert fitted.search_ is None
    assert not [*home.iterdir()]


def test_rows_are_images_too(fitted, digits):
    """Square ones if they can be."""
    images, labels = digits
    rows = images.reshape(-1, 64)
    of_rows = classifier().fit(rows, labels)

    assert of_rows.image_shape_ == (1, 8, 8)
    assert (of_rows.predict_proba(images) == fitted.predict_proba(rows)).all()


def test_rows_that_are_no_square_are_said_to_be_of_height_one(digits, caplog):
    images, labels = digits
    of_rows = classifier(TINY).fit(images[:, :7].reshape(-1, 56), labels)

    assert of_rows.image_shape_ == (1, 1, 56)
    assert "rows of 56 pixels are taken for images of height 1; set image_shape" in caplog.text


@pytest.mark.parametrize("order", ["last", "first"])
def test_colours_may_come_in_any_order(order, caplog):
    """In images and, with their shape, in rows; all say the same."""
    images = np.random.default_rng(0).integers(0, 256, (40, 3, 6, 5), dtype=np.uint8)
    labels = np.arange(40) % 2
    given = images if order == "first" else images.transpose(0, 2, 3, 1)
    rows = given.reshape(40, -1)
    of_images = classifier(TINY).fit(given, labels)
    of_rows = classifier(TINY, image_shape=given.shape[1:]).fit(rows, labels)

    assert of_images.image_shape_ == of_rows.image_shape_ == (3, 6, 5)
    expected = of_images.predict_proba(images)
    assert (of_images.predict_proba(given) == expected).all()
    assert (of_rows.predict_proba(rows) == expected).all()
    assert (of_rows.predict_proba(given) == expected).all()


def test_levels_beyond_those_of_fit_are_black_and_white(fitted, digits):
    images = digits[0][:20]

    brighter = np.where(images == 16, 99, images)
    assert (fitted.predict_proba(brighter) == fitted.predict_proba(images)).all()


def test_it_stands_in_pipelines_and_is_cross_validated(digits):
    """Classes are strings here, which come back."""
    images, labels = digits[0].reshape(-1, 64), digits[1].astype(str)
    pipeline = make_pipeline(MinMaxScaler(), clone(classifier()))
    scores = cross_val_score(pipeline, images, labels, cv=2)

    assert len(scores) == 2
    assert scores.mean() > 0.4
    assert set(pipeline.fit(images, labels).predict(images)) <= set("0123456789")


def test_a_database_keeps_the_search(digits, home, capfd):
    """With all that a search has; fitting again takes over what was trained."""
    kept = classifier(db="sqlite:///mine.db").fit(*digits)
    capfd.readouterr()
    again = clone(kept).set_params(verbose=True).fit(*digits)
    out, err = capfd.readouterr()

    assert kept.search_ == vlga.open("arrays-1", db="sqlite:///mine.db")
    assert kept.search_.best.test_accuracy == kept.test_accuracy_
    assert kept.search_.model().training is False
    assert kept.search_.mistakes().accuracy == pytest.approx(kept.test_accuracy_)
    assert again.search_.population().reused.tolist() == [True]
    assert "arrays-2  random_search, seed 0, on arrays: " in err
    assert "winner #0  validation accuracy" in out


def test_nothing_is_said_unless_asked(digits, capfd):
    classifier(TINY).fit(*digits)

    assert capfd.readouterr() == ("", "")


def test_a_number_is_the_search_s_seed(digits, home):
    """A `RandomState` gives another one at each fit."""
    state = np.random.RandomState(0)
    one = classifier(TINY, db="sqlite:///mine.db").set_params(random_state=7)
    other = classifier(TINY, db="sqlite:///mine.db").set_params(random_state=state)
    for each in (one, other, other):
        each.fit(*digits)

    heads = [vlga.open(f"arrays-{n}", db="sqlite:///mine.db")._shown()["seed"] for n in (1, 2, 3)]
    assert heads[0] == 7
    assert len(set(heads)) == 3


def test_ctrl_c_is_heard(digits, home, monkeypatch):
    """And leaves nothing behind."""

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(inline.InlineEvaluator, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        classifier().fit(*digits)

    assert not [*home.iterdir()]


def test_a_network_that_cannot_be_trained_longer_is_none(digits, monkeypatch):
    """What a longer training failed of is said."""
    train = inline.evaluate

    def failing(task, *arguments, **options):
        if task.is_final:
            return task.failed(FailureReason.OUT_OF_MEMORY, "too little of it"), None
        return train(task, *arguments, **options)

    monkeypatch.setattr(inline, "evaluate", failing)
    with pytest.raises(TooManyFailures, match="longer training failed: too little of it"):
        classifier().fit(*digits)


@pytest.mark.parametrize(
    ("n_jobs", "settings", "inline", "workers"),
    [
        (None, None, True, None),
        (1, None, True, None),
        (2, None, False, 2),
        (-1, None, False, None),
        (None, {"workers.address": "head:6379"}, False, None),
    ],
)
def test_several_trainings_at_a_time_need_ray(n_jobs, settings, inline, workers):
    """Unless the settings say where trainings run."""
    found = vlga.NetworkClassifier(n_jobs=n_jobs, settings=settings)._config().workers

    assert (found.inline, found.workers) == (inline, workers)


IMAGES, LABELS = np.arange(9 * 4 * 5).reshape(9, 4, 5), np.arange(9) % 3


@pytest.mark.parametrize(
    ("settings", "images", "labels", "rule"),
    [
        ({}, np.where(IMAGES == 7, np.nan, IMAGES), LABELS, "Input X contains NaN"),
        ({}, IMAGES, np.zeros(9), r"y must have at least 2 classes .* one class, .*0\.0"),
        ({}, IMAGES, np.arange(9) / 8, "Unknown label type: continuous"),
        ({}, IMAGES, np.arange(9) % 4, "every class of 'arrays' must have at least 3 images"),
        ({}, IMAGES[:0], LABELS[:0], r"Found array with 0 sample\(s\)"),
        ({}, IMAGES[..., :0], LABELS, r"Found array with 0 feature\(s\)"),
        ({}, IMAGES[0, 0], LABELS, "Expected 2D array, got 1D array instead"),
        ({}, IMAGES[None], LABELS, r"X must be \(n, height, width\).*, but got \(1, 9, 4, 5\)"),
        ({}, IMAGES, LABELS[:5], "Found input variables with inconsistent numbers of samples"),
        ({"image_shape": (4, 4)}, IMAGES.reshape(9, 20), LABELS, r"features, 20, .*=\(4, 4\)"),
        ({"image_shape": "20"}, IMAGES.reshape(9, 20), LABELS, "image_shape='20'"),
        ({"seconds": -1}, IMAGES, LABELS, "seconds must be greater than 0"),
        ({"settings": {"final.epochs": 0}}, IMAGES, LABELS, "epochs must be at least 1 for fit"),
        ({"settings": {"training.epoch": 1}}, IMAGES, LABELS, "'epoch' is not a setting"),
    ],
)
def test_a_mistake_is_said_before_anything_is_trained(settings, images, labels, rule, monkeypatch):
    """By scikit-learn in its own words, where it knows the mistake."""
    monkeypatch.delattr(inline.InlineEvaluator, "wait")
    with pytest.raises(ValueError, match=rule):
        vlga.NetworkClassifier(**settings).fit(images, labels)


def test_others_than_the_images_of_fit_are_refused(fitted, digits):
    images, _ = digits

    with pytest.raises(NotFittedError):
        classifier().predict(images)
    with pytest.raises(ValueError, match="X has 56 features, but NetworkClassifier is expecting"):
        fitted.predict(images[:, 1:])
    with pytest.raises(ValueError, match=r"images must be 1x8x8 as in fit, but X has .* 1x4x16 "):
        fitted.predict(images.reshape(-1, 4, 16))
