"""Tiny files in the published formats, read by torchvision's own classes."""

import gzip
import hashlib
import pickle
import struct
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import platformdirs
import pytest
import scipy.io
from torchvision import datasets

from vlga.errors import DataError
from workers.data.torchvision_files import PUBLISHED, data_folder, read_published

RNG = np.random.default_rng(0)
LABELS = np.arange(20) % 10
GREY = RNG.integers(0, 256, (20, 28, 28), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (20, 3, 32, 32), dtype=np.uint8)

CIFAR10_BATCHES = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]


def idx(array):
    """Give an array of bytes in the IDX format of MNIST."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


def mnist_files():
    return {
        f"{part}-{kind}-ubyte": data
        for part in ("train", "t10k")
        for kind, data in (("images-idx3", idx(GREY)), ("labels-idx1", idx(LABELS)))
    }


def md5(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


def write_mnist(folder, name="MNIST"):
    raw = folder / name / "raw"
    raw.mkdir(parents=True)
    for file, data in mnist_files().items():
        (raw / file).write_bytes(data)


def write_pickle(path, **tree):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(pickle.dumps(tree))
    return [path.name, md5(path)]


def write_cifar10(folder, monkeypatch):
    """Write a batch of 20 images six times; torchvision is to expect the sums of these files."""
    base = folder / "cifar-10-batches-py"
    batches = [
        write_pickle(base / name, data=COLOUR.reshape(20, -1), labels=LABELS.tolist())
        for name in CIFAR10_BATCHES
    ]
    names = [f"thing {i}" for i in range(10)]
    meta = write_pickle(base / "batches.meta", label_names=names)
    monkeypatch.setattr(datasets.CIFAR10, "train_list", batches[:5])
    monkeypatch.setattr(datasets.CIFAR10, "test_list", batches[5:])
    monkeypatch.setattr(datasets.CIFAR10, "meta", {**datasets.CIFAR10.meta, "md5": meta[1]})


@pytest.fixture
def http_folder(tmp_path, monkeypatch):
    """Serve a folder over HTTP; gives the folder and its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    handler = partial(SimpleHTTPRequestHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("name", "kind"), [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST")])
def test_mnist(tmp_path, name, kind):
    """Grey images get a channel axis; MNIST's classes are plain digits."""
    write_mnist(tmp_path, kind)
    raw = read_published(name, str(tmp_path))

    assert (raw.train.images == GREY[:, None]).all()
    assert (raw.test.labels == LABELS).all()
    assert raw.train.labels.dtype == np.int64
    assert raw.classes[0] == {"mnist": "0", "fashion-mnist": "T-shirt/top"}[name]
    assert len(raw.classes) == 10


def test_cifar10(tmp_path, monkeypatch):
    """The five batches come channels first and C-contiguous, with the class names of the files."""
    write_cifar10(tmp_path, monkeypatch)
    raw = read_published("cifar10", str(tmp_path))

    assert (raw.train.images == np.concatenate([COLOUR] * 5)).all()
    assert raw.train.images.flags.c_contiguous
    assert (raw.train.labels == np.tile(LABELS, 5)).all()
    assert (raw.test.images == COLOUR).all()
    assert raw.classes[3] == "thing 3"


def test_cifar100(tmp_path, monkeypatch):
    """The labels of CIFAR-100 are the fine ones."""
    base = tmp_path / "cifar-100-python"
    labels = np.arange(20) * 5
    train, test = (
        write_pickle(base / name, data=COLOUR.reshape(20, -1), fine_labels=labels.tolist())
        for name in ("train", "test")
    )
    meta = write_pickle(base / "meta", fine_label_names=[f"thing {i}" for i in range(100)])
    monkeypatch.setattr(datasets.CIFAR100, "train_list", [train])
    monkeypatch.setattr(datasets.CIFAR100, "test_list", [test])
    monkeypatch.setattr(datasets.CIFAR100, "meta", {**datasets.CIFAR100.meta, "md5": meta[1]})
    raw = read_published("cifar100", str(tmp_path))

    assert (raw.train.labels == labels).all()
    assert (raw.test.images == COLOUR).all()
    assert raw.classes[99] == "thing 99"


def test_svhn(tmp_path, monkeypatch):
    """SVHN's images lie along the last axis of its files, and its label 10 is the digit 0."""
    splits = {}
    for part in ("train", "test"):
        path = tmp_path / f"{part}_32x32.mat"
        y = np.where(LABELS == 0, 10, LABELS)[:, None]
        scipy.io.savemat(path, {"X": COLOUR.transpose(2, 3, 1, 0), "y": y})
        splits[part] = ["", path.name, md5(path)]
    monkeypatch.setattr(datasets.SVHN, "split_list", splits)
    raw = read_published("svhn", str(tmp_path))

    assert (raw.train.images == COLOUR).all()
    assert raw.train.images.flags.c_contiguous
    assert (raw.test.labels == LABELS).all()
    assert raw.classes == tuple("0123456789")


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("train-images-idx3-ubyte", idx(GREY)[:-1]),
        ("train-images-idx3-ubyte", b""),
        ("train-images-idx3-ubyte", b"not images at all"),
        ("train-images-idx3-ubyte", idx(GREY[:19])),
        ("t10k-labels-idx1-ubyte", idx(LABELS + 1)),
        ("t10k-labels-idx1-ubyte", idx(GREY)),
    ],
)
def test_corrupt_mnist(tmp_path, file, data):
    """Cut, foreign and contradicting files are refused in one line, with the way out."""
    write_mnist(tmp_path)
    (tmp_path / "MNIST" / "raw" / file).write_bytes(data)

    with pytest.raises(
        DataError, match=r"'mnist' in .* are corrupt .* delete 'MNIST/raw/"
    ) as raised:
        read_published("mnist", str(tmp_path))

    assert "\n" not in str(raised.value)


def test_corrupt_cifar10(tmp_path, monkeypatch):
    """A batch with a wrong sum is refused."""
    write_cifar10(tmp_path, monkeypatch)
    write_pickle(tmp_path / "cifar-10-batches-py" / "data_batch_3", data=[])

    with pytest.raises(DataError, match=r"'cifar10' in .* are corrupt"):
        read_published("cifar10", str(tmp_path))


class TestDownload:
    def test_absent_files_are_downloaded(self, tmp_path, http_folder, monkeypatch, capsys):
        """Files that are not there are downloaded once; standard output stays empty."""
        folder, url = http_folder
        resources = []
        for name, data in mnist_files().items():
            path = folder / f"{name}.gz"
            path.write_bytes(gzip.compress(data))
            resources.append((path.name, md5(path)))
        monkeypatch.setattr(datasets.MNIST, "mirrors", [url])
        monkeypatch.setattr(datasets.MNIST, "resources", resources)
        first = read_published("mnist", str(tmp_path / "new"))
        monkeypatch.setattr(datasets.MNIST, "mirrors", [])
        second = read_published("mnist", str(tmp_path / "new"))

        assert (first.train.images == GREY[:, None]).all()
        assert (second.train.images == first.train.images).all()
        assert capsys.readouterr().out == ""

    def test_damaged_download(self, tmp_path, http_folder, monkeypatch):
        """A download with another sum than the published one is refused."""
        folder, url = http_folder
        (folder / "cifar.tar.gz").write_bytes(b"a login page")
        monkeypatch.setattr(datasets.CIFAR10, "url", url + "cifar.tar.gz")

        with pytest.raises(DataError, match=r"its download failed \(RuntimeError: File not found"):
            read_published("cifar10", str(tmp_path))

    @pytest.mark.parametrize("name", ["mnist", "cifar10"])
    def test_no_network(self, tmp_path, monkeypatch, name):
        """Without the files and the network one line says where they belong and the ways out."""
        nowhere = "http://127.0.0.1:9/"  # the discard port
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setattr(datasets.MNIST, "mirrors", [nowhere])
        monkeypatch.setattr(datasets.CIFAR10, "url", nowhere)

        with pytest.raises(DataError, match=r"download failed .*--data-dir or VLGA_DATA") as raised:
            read_published(name, str(tmp_path))

        assert f"must be in {str(tmp_path)!r} as {PUBLISHED[name].files[0]!r}" in str(raised.value)
        assert "\n" not in str(raised.value)

    def test_folder_cannot_be_made(self, tmp_path):
        """A data folder that cannot be written to is a download that failed."""
        (tmp_path / "file").touch()

        with pytest.raises(DataError, match=r"download failed .*Error"):
            read_published("mnist", str(tmp_path / "file"))


class TestDataFolder:
    def test_setting_wins(self, monkeypatch):
        """The setting comes before VLGA_DATA; ``~`` is the home folder."""
        monkeypatch.setenv("VLGA_DATA", "/from/environment")

        assert data_folder("~/images") == Path.home() / "images"

    def test_environment(self, monkeypatch):
        """VLGA_DATA comes before the user's cache."""
        monkeypatch.setenv("VLGA_DATA", "/from/environment")

        assert data_folder(None) == Path("/from/environment")

    @pytest.mark.parametrize("value", [None, ""])
    def test_cache(self, monkeypatch, value):
        """Without either, or with an empty VLGA_DATA, it is the user's cache."""
        monkeypatch.delenv("VLGA_DATA", raising=False)
        if value is not None:
            monkeypatch.setenv("VLGA_DATA", value)

        assert data_folder(None) == Path(platformdirs.user_cache_dir("vlga"))
