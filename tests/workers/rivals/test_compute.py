import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from vlga.config.data import DataConfig
from workers.data import Dataset, load_dataset
from workers.rivals import compute
from workers.rivals.compute import Sample, draw_sample, rivals_on


def sample(images, labels, test_images, test_labels):
    """Give a sample of images of one row of pixels."""

    def rows(images):
        return np.asarray(images, np.uint8)[:, None, None, :]

    def whole(labels):
        return np.asarray(labels, np.int64)

    return Sample(rows(images), whole(labels), rows(test_images), whole(test_labels))


def dataset(n, shape, *, validates_on_test=False):
    """Give n images to train on, half as many of each other split: each of its number's grey."""

    def images(n, first):
        greys = np.arange(first, first + n, dtype=np.uint8)
        return np.ascontiguousarray(np.broadcast_to(greys[:, None, None, None], (n, *shape)))

    half = n // 2
    test = images(half, 200)
    return Dataset(
        name="greys",
        classes=("even", "odd"),
        train_images=images(n, 0),
        train_labels=np.arange(n) % 2,
        validation_images=test if validates_on_test else images(half, 100),
        validation_labels=np.arange(half) % 2,
        test_images=test,
        test_labels=np.arange(half) % 2,
        validates_on_test=validates_on_test,
    )


class TestRivals:
    def test_are_about_as_good_as_those_of_scikit_learn(self):
        """On digits: the neighbours but for ties, the machine to a point."""
        drawn = draw_sample(load_dataset(DataConfig(name="digits")))
        pixels, test_pixels = (
            images.reshape(len(images), -1) / 255.0 for images in (drawn.images, drawn.test_images)
        )
        found = rivals_on(drawn)

        for rival, accuracy, tolerance in (
            (KNeighborsClassifier(3), found.nearest_neighbours, 0.003),
            (SVC(C=10), found.support_vector_machine, 0.01),
        ):
            rival.fit(pixels, drawn.labels)
            expected = rival.score(test_pixels, drawn.test_labels)
            assert accuracy == pytest.approx(expected, abs=tolerance)

    def test_name_the_class_that_is_largest_where_they_are_fit(self):
        """Not the one that is largest among the test images."""
        found = rivals_on(sample([[0]] * 3 + [[200]] * 2, [1, 1, 1, 0, 0], [[0]] * 4, [1, 0, 0, 0]))

        assert found.largest_class == 0.25

    def test_are_measured_in_what_the_search_is(self):
        """Always the largest class has half of the balanced accuracy, however large it is."""
        images = sample([[0]] * 3 + [[200]], [0, 0, 0, 1], [[0]] * 9 + [[200]], [0] * 9 + [1])
        found = {name: rivals_on(images, name) for name in ("balanced_accuracy", "f1_macro")}

        assert found["balanced_accuracy"].largest_class == 0.5
        assert found["f1_macro"].largest_class == pytest.approx(9 / 19)
        assert found["f1_macro"].measure == "f1_macro"

    @pytest.mark.parametrize(
        ("labels", "expected"), [((0, 1, 1), 1), ((0, 1, 0), 0), ((1, 0, 2), 1), ((2, 2, 2), 2)]
    )
    def test_follow_two_of_the_three_nearest_or_else_the_nearest(self, labels, expected):
        """Farther ones have no say."""
        one = sample([[10], [12], [14], *[[90]] * 9], [*labels, *[3] * 9], [[9]], [expected])

        assert rivals_on(one).nearest_neighbours == 1

    def test_can_be_fit_on_two_images(self):
        """Each test image is then of the class of the nearer one."""
        found = rivals_on(sample([[0], [255]], [0, 1], [[10], [240]], [0, 1]))

        assert (found.nearest_neighbours, found.support_vector_machine) == (1, 1)

    def test_tell_apart_what_no_line_parts(self):
        """The middle from both sides of it."""
        found = rivals_on(
            sample(
                [[0], [10], [120], [130], [245], [255]], [0, 0, 1, 1, 0, 0], [[5], [125]], [0, 1]
            )
        )

        assert found.support_vector_machine == 1

    def test_of_images_all_alike_are_no_error(self):
        """Black images, such as a broken camera's."""
        found = rivals_on(sample([[0]] * 4, [0, 0, 0, 1], [[0]] * 2, [0, 1]))

        assert found.support_vector_machine == 0.5


class TestSample:
    def test_is_all_that_a_winner_is_trained_on(self):
        """Training and validation images, as they are."""
        drawn = draw_sample(dataset(8, (1, 2, 3)))

        assert drawn.images[:, 0, 0, 0].tolist() == [*range(8), *range(100, 104)]
        assert drawn.test_images[:, 0, 0, 0].tolist() == [*range(200, 204)]
        assert drawn.labels.tolist() == [*[0, 1] * 6]

    def test_leaves_out_test_images_that_validate(self):
        """Nothing is fit on what it is tested on."""
        drawn = draw_sample(dataset(8, (1, 2, 3), validates_on_test=True))

        assert drawn.images[:, 0, 0, 0].tolist() == [*range(8)]

    def test_has_so_many_of_each_class_of_many_images(self, monkeypatch):
        """And each with its own label."""
        monkeypatch.setattr(compute, "MOST_FIT", 6)
        monkeypatch.setattr(compute, "MOST_TESTED", 2)
        drawn = draw_sample(dataset(8, (1, 2, 3)))

        for images, labels in (
            (drawn.images, drawn.labels),
            (drawn.test_images, drawn.test_labels),
        ):
            assert (images[:, 0, 0, 0] % 2).tolist() == labels.tolist()
            assert np.bincount(labels).tolist() == [len(labels) / 2] * 2
        assert (len(drawn.labels), len(drawn.test_labels)) == (6, 2)

    @pytest.mark.parametrize(
        ("shape", "shrunk"),
        [
            ((1, 32, 32), (1, 32, 32)),
            ((3, 64, 64), (3, 32, 32)),
            ((3, 150, 150), (3, 30, 30)),
            ((1, 33, 20), (1, 16, 10)),
            ((1, 100, 1), (1, 100, 1)),
        ],
    )
    def test_is_of_small_images(self, shape, shrunk):
        """Whole pixels are averaged, which leaves a grey as it is; a line cannot be shrunk."""
        drawn = draw_sample(dataset(4, shape))

        assert drawn.images.shape[1:] == drawn.test_images.shape[1:] == shrunk
        assert drawn.images[3].min() == drawn.images[3].max() == 3
