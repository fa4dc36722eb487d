import logging
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from vlga.config.data import DataConfig
from vlga.errors import DataError
from workers.data import known_datasets, load_dataset
from workers.data.torchvision_files import PUBLISHED


def save_npz(path, labels, test_labels=None, val_labels=None):
    """Save images that are all different: the first two pixels count them."""

    def images(n, offset):
        x = np.zeros((n, 4, 4), np.uint8)
        x[:, 0, 0], x[:, 0, 1] = np.divmod(np.arange(offset, offset + n), 256)
        return x

    arrays = {"x_train": images(len(labels), 0), "y_train": np.array(labels)}
    if test_labels is not None:
        arrays |= {"x_test": images(len(test_labels), 10_000), "y_test": np.array(test_labels)}
    if val_labels is not None:
        arrays |= {"x_val": images(len(val_labels), 20_000), "y_val": np.array(val_labels)}
    np.savez(path, **arrays)
    return str(path)


def numbers(images):
    """Give the numbers that `save_npz` put into images."""
    return (images[:, 0, 0, 0].astype(int) * 256 + images[:, 0, 0, 1]).tolist()


class TestDigits:
    def test_splits(self):
        """Scikit-learn's digits: five splits worth of 1,797 images, every level used."""
        dataset = load_dataset(DataConfig())

        assert dataset.input_shape == (1, 8, 8)
        assert dataset.classes == tuple("0123456789")
        assert (len(dataset.train_labels), len(dataset.validation_labels)) == (1151, 287)
        assert len(dataset.test_labels) == 359
        assert (dataset.train_images.min(), dataset.train_images.max()) == (0, 255)

    def test_splits_are_pinned(self):
        """The splits are these, on every machine: searches can be compared."""
        assert load_dataset(DataConfig()).fingerprint == "821b7c8b1f89a91d"

    def test_limit(self):
        """A limit counts training and validation images, and leaves the test images alone."""
        whole, limited = load_dataset(DataConfig()), load_dataset(DataConfig(train_limit=100))

        assert len(limited.train_labels) + len(limited.validation_labels) == 100
        assert set(np.bincount(limited.validation_labels)) == {2}
        assert (limited.test_images == whole.test_images).all()


class TestFitnessOnTest:
    def test_trains_on_all_but_the_test_images(self):
        """Nothing is cut off to validate on, and the name says so in every output."""
        dataset = load_dataset(DataConfig(fitness_on="test"))
        usual = load_dataset(DataConfig())

        assert len(dataset.train_labels) == 1151 + 287
        assert (dataset.validation_images == usual.test_images).all()
        assert (dataset.test_images == usual.test_images).all()
        assert dataset.name == "digits"
        assert dataset.summary().label == "digits (fitness on the TEST images)"
        assert dataset.fingerprint != usual.fingerprint


class TestSplits:
    def test_own_test_images(self, tmp_path):
        """Test images of a data set stay its test images; the others are split."""
        name = save_npz(tmp_path / "a.npz", [0, 1] * 10, [1, 0, 1])
        dataset = load_dataset(DataConfig(name=name, validation_fraction=0.3))

        assert numbers(dataset.test_images) == [10_000, 10_001, 10_002]
        assert dataset.test_labels.tolist() == [1, 0, 1]
        assert np.bincount(dataset.validation_labels).tolist() == [3, 3]
        assert sorted(numbers(dataset.train_images) + numbers(dataset.validation_images)) == list(
            range(20)
        )

    def test_every_image_is_in_one_split(self, tmp_path):
        """Without test images the three splits share out all images, with their labels."""
        labels = [index % 3 for index in range(60)]
        dataset = load_dataset(DataConfig(name=save_npz(tmp_path / "a.npz", labels)))
        found = {}
        for split in ("train", "validation", "test"):
            images = getattr(dataset, f"{split}_images")
            found |= dict(zip(numbers(images), getattr(dataset, f"{split}_labels"), strict=True))

        assert found == dict(enumerate(labels))
        assert Counter(dataset.test_labels.tolist()) == {0: 4, 1: 4, 2: 4}

    def test_equal_settings_give_equal_splits(self, tmp_path):
        """Loaded twice, everything is equal; another share gives another fingerprint."""
        name = save_npz(tmp_path / "a.npz", [0, 1] * 20)
        one, two = (load_dataset(DataConfig(name=name, train_limit=20)) for _ in range(2))

        assert one.fingerprint == two.fingerprint
        other = load_dataset(DataConfig(name=name, train_limit=20, validation_fraction=0.4))
        assert other.fingerprint != one.fingerprint

    def test_generous_limit(self, tmp_path):
        """A limit beyond the number of images changes nothing."""
        name = save_npz(tmp_path / "a.npz", [0, 1] * 20)

        assert (
            load_dataset(DataConfig(name=name, train_limit=1000)).fingerprint
            == load_dataset(DataConfig(name=name)).fingerprint
        )

    def test_own_validation_images(self, tmp_path):
        """They give the fitness; the others are trained on, but for those to test on."""
        name = save_npz(tmp_path / "a.npz", [0, 1] * 10, val_labels=[1, 0, 1])
        dataset = load_dataset(DataConfig(name=name, test_fraction=0.3))

        assert numbers(dataset.validation_images) == [20_000, 20_001, 20_002]
        assert np.bincount(dataset.test_labels).tolist() == [3, 3]
        assert sorted(numbers(dataset.train_images) + numbers(dataset.test_images)) == list(
            range(20)
        )

    def test_own_images_for_all(self, tmp_path):
        """With own images for all, nothing is split off: one training image a class is enough."""
        name = save_npz(tmp_path / "a.npz", [0, 1], [0, 1], [0, 1])
        dataset = load_dataset(DataConfig(name=name))

        assert numbers(dataset.train_images) == [0, 1]

    def test_own_validation_images_where_the_test_gives_the_fitness(self, tmp_path):
        """They are trained on then, as all but the test images are."""
        name = save_npz(tmp_path / "a.npz", [0, 1] * 5, [0, 1], [0, 1])
        dataset = load_dataset(DataConfig(name=name, fitness_on="test"))

        assert sorted(numbers(dataset.train_images)) == [*range(10), 20_000, 20_001]

    @pytest.mark.parametrize("fraction", [0.01, 0.5, 0.99])
    def test_three_images_a_class_suffice(self, tmp_path, fraction):
        """With three images a class, each split gets one, whatever the shares."""
        name = save_npz(tmp_path / "a.npz", [0, 1] * 3)
        dataset = load_dataset(
            DataConfig(name=name, test_fraction=fraction, validation_fraction=fraction)
        )

        for split in ("train", "validation", "test"):
            assert sorted(getattr(dataset, f"{split}_labels")) == [0, 1]

    @pytest.mark.parametrize(
        ("labels", "test_labels", "message"),
        [
            ([5, 5, 5], None, r"'a' must have at least 2 classes, but has only \('5',\)"),
            ([0, 0, 0, 1, 1], None, "at least 3 images .* but class '1' has 2"),
            ([0, 0, 1], [0, 1], "at least 2 images to train and validate, but class '1' has 1"),
            ([0, 0, 1, 1], [0, 0], "at least 1 test images, but class '1' has 0"),
        ],
    )
    def test_too_few_images(self, tmp_path, labels, test_labels, message):
        """A class that cannot be in every split is named, with how many images it needs."""
        name = save_npz(tmp_path / "a.npz", labels, test_labels)

        with pytest.raises(DataError, match=message):
            load_dataset(DataConfig(name=name))

    def test_limit_too_small(self, tmp_path):
        """A limit that starves a class is refused, and the limit that it names works."""
        name = save_npz(tmp_path / "a.npz", [0] * 90 + [1] * 10, [0, 1])

        with pytest.raises(DataError, match="train_limit=10 leaves class '1' with 1; 20 is enough"):
            load_dataset(DataConfig(name=name, train_limit=10))

        assert len(load_dataset(DataConfig(name=name, train_limit=20)).train_labels) > 10


def save_copies(path, times=3, **others):
    """Save 40 different images of two classes, each so many times."""
    images = np.zeros((40, 4, 4), np.uint8)
    images[:, 0, 0] = np.arange(40)
    labels = np.tile([0, 1], 20)
    np.savez(path, x_train=np.tile(images, (times, 1, 1)), y_train=np.tile(labels, times), **others)
    return str(path)


def warned(caplog):
    return [one.message for one in caplog.records if one.levelno == logging.WARNING]


class TestCopies:
    def test_stay_in_one_split(self, tmp_path, caplog):
        """Images that are there three times are each in one split only, and that is said."""
        dataset = load_dataset(DataConfig(name=save_copies(tmp_path / "a.npz")))
        splits = [
            set(numbers(getattr(dataset, f"{split}_images")))
            for split in ("train", "validation", "test")
        ]

        assert [len(split) for split in splits] == [26, 6, 8]
        assert len(set.union(*splits)) == 40
        assert warned(caplog) == [
            "a: 80 of 120 images are copies of others; copies stay in one split"
        ]

    def test_with_a_limit(self, tmp_path):
        """Copies that a limit leaves stay together too."""
        name = save_copies(tmp_path / "a.npz")
        dataset = load_dataset(DataConfig(name=name, train_limit=60))
        train, validation = numbers(dataset.train_images), numbers(dataset.validation_images)

        assert len(train) + len(validation) == 60
        assert not set(train) & set(validation)

    def test_of_test_images(self, tmp_path, caplog):
        """Test images of the source that are among its training images are counted."""
        images = np.zeros((4, 4, 4), np.uint8)
        images[:, 0, 0] = [0, 1, 100, 101]
        name = save_copies(tmp_path / "a.npz", times=1, x_test=images, y_test=[0, 1, 0, 1])
        load_dataset(DataConfig(name=name))

        said = "2 of 4 images to validate or test on are training images too"
        assert warned(caplog) == [f"a: {said}, so accuracies are too high"]

    def test_with_other_labels(self, tmp_path, caplog):
        """Copies that carry different labels are counted, with two classes that share one."""
        images = np.zeros((42, 4, 4), np.uint8)
        images[:, 0, 0] = [*range(40), 0, 2]
        np.savez(tmp_path / "a.npz", x_train=images, y_train=["cat", "dog"] * 21)
        load_dataset(DataConfig(name=str(tmp_path / "a.npz")))

        said = "1 of 42 images are copies of images of another class"
        assert warned(caplog)[-1] == f"a: {said}, such as one of 'cat' and 'dog'"

    def test_too_few_others(self, tmp_path):
        """A class of three copies of one image cannot be split, and is refused."""
        np.savez(
            tmp_path / "a.npz", x_train=np.zeros((6, 4, 4), np.uint8), y_train=[0, 0, 0, 1, 1, 1]
        )

        with pytest.raises(DataError, match=r"at least 3 images .* '1' has 0 that are no copies"):
            load_dataset(DataConfig(name=str(tmp_path / "a.npz")))

    def test_digits_have_none(self, caplog):
        """So their splits are as they were."""
        load_dataset(DataConfig())

        assert not warned(caplog)


class TestNames:
    def test_folder(self, tmp_path):
        """A folder of class folders is named like the folder, and resized if asked."""
        for level, name in enumerate(("cat", "dog")):
            (tmp_path / "pets" / name).mkdir(parents=True)
            for index in range(4):
                Image.new("RGB", (8, 8), (index, 0, level)).save(
                    tmp_path / "pets" / name / f"{index}.png"
                )
        dataset = load_dataset(DataConfig(name=str(tmp_path / "pets"), image_size=6))

        assert (dataset.name, dataset.classes) == ("pets", ("cat", "dog"))
        assert dataset.input_shape == (3, 6, 6)

    def test_home(self, tmp_path, monkeypatch):
        """A path may start with ``~``."""
        monkeypatch.setenv("HOME", str(tmp_path))
        save_npz(tmp_path / "a.npz", [0, 1] * 5)

        assert load_dataset(DataConfig(name="~/a.npz")).name == "a"

    def test_known_name_wins(self, tmp_path, monkeypatch):
        """A folder of a known data set's name must be called by its path."""
        (tmp_path / "digits").mkdir()
        monkeypatch.chdir(tmp_path)

        assert load_dataset(DataConfig()).input_shape == (1, 8, 8)
        with pytest.raises(DataError, match="must have a folder of images for each class"):
            load_dataset(DataConfig(name="./digits"))

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("cifer10", "but got 'cifer10'; did you mean 'cifar10'?"),
            ("MNIST", "but got 'MNIST'; did you mean 'mnist'?"),
            ("", "but got ''; known: cifar10, cifar100, digits"),
            ("flowers", "must be a known data set, an .npz file or a folder, but got 'flowers'"),
            ("flowers.npz", "'flowers.npz' does not exist in '"),
            ("my/flowers", "must be an existing .npz file or folder, but 'my/flowers' does not"),
            (__file__, "must be an .npz file or a folder of class folders, but got '/"),
        ],
    )
    def test_unknown(self, name, message):
        """A name or path that is nothing is refused, with the nearest known name."""
        with pytest.raises(DataError) as raised:
            load_dataset(DataConfig(name=name))

        assert str(raised.value).startswith("[data] name must be")
        assert message in str(raised.value)

    def test_image_size_is_for_folders(self):
        """A size that would have no effect is refused."""
        with pytest.raises(DataError, match="image_size=16 for 'digits'"):
            load_dataset(DataConfig(image_size=16))
        with pytest.raises(DataError, match="skip_broken=True for 'digits'"):
            load_dataset(DataConfig(skip_broken=True))
        with pytest.raises(DataError, match="fit='pad' for 'digits'"):
            load_dataset(DataConfig(fit="pad"))


class TestWhatIsSaid:
    @pytest.mark.parametrize(
        ("labels", "said"),
        [
            (["cat", "dog"] * 10, "a: 10 cat, 10 dog"),
            (["cat"] * 60 + ["dog"] * 40, "a: 60 cat, 40 dog; the largest has 60%"),
            ([*range(9)] * 10, "a: 9 classes of 10 images"),
            (
                [*range(9)] * 10 + [5] * 7,
                "a: 9 classes of 10 (0) to 17 (5) images; the largest has 18%",
            ),
        ],
    )
    def test_classes(self, tmp_path, caplog, labels, said):
        """Of one's own images it is said how many each class has, and what the largest weighs."""
        caplog.set_level(logging.INFO)
        load_dataset(DataConfig(name=save_npz(tmp_path / "a.npz", labels)))

        assert caplog.messages == [said]

    @pytest.mark.parametrize(
        ("labels", "said"),
        [
            (["cat"] * 9 + ["dog"] * 10, ["'cat' has only 9 images (6 + 1 + 2 to train, validate"]),
            (["cat"] * 3 + ["dog"] * 4, ["'cat' has only 3 images (1 + 1 + 1 to train, validate"]),
            (["cat"] * 10 + ["dog"] * 10, []),
        ],
    )
    def test_small_class(self, tmp_path, caplog, labels, said):
        """A class of so few images that little can be measured."""
        caplog.set_level(logging.WARNING)
        load_dataset(DataConfig(name=save_npz(tmp_path / "a.npz", labels)))

        assert len(caplog.messages) == len(said)
        for message, part in zip(caplog.messages, said, strict=True):
            assert message.startswith(f"a: class {part}")

    def test_many_small_classes(self, tmp_path, caplog):
        """The smallest stands for them; images that validate and test are counted once."""
        caplog.set_level(logging.WARNING)
        name = save_npz(tmp_path / "a.npz", [0] * 4 + [1] * 5 + [2] * 6)
        load_dataset(DataConfig(name=name, fitness_on="test"))

        said = "a: class '0' has only 4 images (3 + 1 to train and test), and 2 more have fewer"
        assert [one.startswith(said) for one in caplog.messages] == [True]

    def test_known_ones_are_known(self, caplog):
        """Nothing needs to be said of a known data set."""
        caplog.set_level(logging.INFO)
        load_dataset(DataConfig())

        assert not caplog.messages


class TestMirrored:
    @pytest.mark.parametrize(
        ("shape", "may_mirror"),
        [((16, 16, 3), True), ((32, 15, 3), False), ((28, 28, 1), False), ((32, 32, 4), False)],
    )
    def test_own_images(self, tmp_path, shape, may_mirror):
        """Of one's own images those in colour that are not tiny count as photographs."""
        images = np.random.default_rng(0).integers(0, 256, (12, *shape), dtype=np.uint8)
        np.savez(tmp_path / "a.npz", x=images, y=[0, 1] * 6)

        assert load_dataset(DataConfig(name=str(tmp_path / "a.npz"))).may_mirror is may_mirror

    def test_known_datasets(self):
        """Digits, clothes as they lie, and house numbers in colour are not; objects are."""
        assert {name for name, one in PUBLISHED.items() if one.may_mirror} == {
            "cifar10", "cifar100",
        }  # fmt: skip
        assert not load_dataset(DataConfig()).may_mirror


class TestKnownDatasets:
    def test_digits_agree_with_the_data(self):
        """The list says of the built-in digits what they are."""
        digits, dataset = known_datasets()[0], load_dataset(DataConfig()).summary()

        assert digits.built_in
        assert digits.path is None
        assert digits.input_shape == dataset.input_shape
        assert digits.n_train == dataset.n_train + dataset.n_validation + dataset.n_test

    def test_found(self, tmp_path, monkeypatch):
        """A data set is found where all its files are; a part of them is not enough."""
        monkeypatch.setenv("VLGA_DATA", str(tmp_path))
        for file in ("train_32x32.mat", "test_32x32.mat"):
            (tmp_path / file).touch()
        (tmp_path / "cifar-100-python").mkdir()
        (tmp_path / "cifar-100-python" / "train").touch()
        paths = {known.name: known.path for known in known_datasets()}

        assert paths == {
            "digits": None,
            "mnist": None,
            "fashion-mnist": None,
            "cifar10": None,
            "cifar100": None,
            "svhn": tmp_path,
        }
        assert all(known.path is None for known in known_datasets(str(tmp_path / "other")))
