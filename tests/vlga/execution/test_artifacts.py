import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlga.errors import StoreError
from vlga.execution.artifacts import ArtifactFolder
from vlga.ports.evaluator import Weights


@pytest.fixture
def tmp_path(disk):
    """A real folder: what is saved is flushed, which in memory is nothing."""
    return disk


def test_nothing_is_made_before_something_is_saved(tmp_path):
    """A search without files leaves no empty folder."""
    ArtifactFolder(tmp_path, "mine")

    assert not (tmp_path / "mine").exists()


@given(data=st.binary(max_size=100), number=st.integers(0, 10**6))
def test_weights_come_back_as_they_were_saved(tmp_path_factory, data, number):
    """The artifact says whose, what, where, how large, and its checksum; the file is whole."""
    folder = tmp_path_factory.mktemp("artifacts")
    weights = Weights(number, data)
    mine = ArtifactFolder(folder / "a", "b")
    artifact = mine.save(weights, "final_weights")

    assert mine.load(artifact) == weights
    assert (artifact.candidate_id, artifact.kind) == (number, "final_weights")
    assert (artifact.n_bytes, artifact.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert (folder / "a" / artifact.path).read_bytes() == data
    assert [one.name for one in (folder / "a" / "b").iterdir()] == [Path(artifact.path).name]


def test_it_may_be_moved(tmp_path):
    """A file is named by where it is in the ledger's folder, wherever that is."""
    artifact = ArtifactFolder(tmp_path / "old", "mine").save(Weights(3, b"abc"), "weights")
    (tmp_path / "old").rename(tmp_path / "new")

    assert artifact.path.startswith("mine/weights-3-")
    assert ArtifactFolder(tmp_path / "new", "other").load(artifact).data == b"abc"


def test_different_weights_never_share_a_file(tmp_path):
    """Also if a candidate is trained again."""
    folder = ArtifactFolder(tmp_path, "mine")
    one, other = (folder.save(Weights(3, data), "weights") for data in (b"one", b"other"))

    assert folder.load(one).data == b"one"
    assert folder.load(other).data == b"other"


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    """With the reason and the way out."""
    (tmp_path / "file").write_text("")

    with pytest.raises(
        StoreError, match=r"written under '.*file.mine', but: Not a directory; free"
    ):
        ArtifactFolder(tmp_path / "file", "mine").save(Weights(0, b""), "weights")


def test_a_full_disk_is_said_and_not_made_fuller(tmp_path):
    """What could be written of the file is taken away again."""
    digest = hashlib.sha256(b"abc").hexdigest()
    (tmp_path / "mine").mkdir()
    partial = tmp_path / "mine" / f"weights-3-{digest[:8]}.partial"
    partial.symlink_to("/dev/full")

    with pytest.raises(StoreError, match=r"but: No space left on device; free some space"):
        ArtifactFolder(tmp_path, "mine").save(Weights(3, b"abc"), "weights")
    assert not list((tmp_path / "mine").iterdir())


def test_a_missing_file_is_said(tmp_path):
    """With whose it is and where it must be."""
    artifact = ArtifactFolder(tmp_path, "mine").save(Weights(3, b"abc"), "weights")
    (tmp_path / artifact.path).unlink()

    with pytest.raises(StoreError, match=r"candidate 3 must be at '.*weights-3.*', but: No such"):
        ArtifactFolder(tmp_path, "mine").load(artifact)


def test_a_changed_file_is_refused(tmp_path):
    """Nobody inherits what was not trained."""
    artifact = ArtifactFolder(tmp_path, "mine").save(Weights(3, b"abc"), "weights")

    with pytest.raises(StoreError, match=r"candidate 3 at .* were changed since"):
        ArtifactFolder(tmp_path, "mine").load(replace(artifact, sha256="0" * 64))
