import logging
import tempfile

import pytest

from vlga.config.data import DataConfig
from workers.data import load_dataset
from workers.rivals import BackgroundRivals
from workers.rivals.compute import draw_sample, rivals_on


@pytest.fixture(scope="module")
def digits():
    """A hundred digits to train on."""
    return load_dataset(DataConfig(name="digits", train_limit=100))


def test_it_gives_what_this_process_would_compute(digits):
    """Once it is there, again and again; also after the process was ended."""
    background = BackgroundRivals(digits, "f1_macro")
    found = background.wait(60)
    background.close()

    assert found == rivals_on(draw_sample(digits), "f1_macro")
    assert background.wait(0) == found


def test_it_is_not_waited_for_longer_than_said(digits):
    """No interpreter starts in no time."""
    background = BackgroundRivals(digits)

    assert background.wait(0) is None
    background.close()
    background.close()
    assert background.wait(60) is None


@pytest.mark.parametrize("failure", ["disk", "process"])
def test_where_it_fails_there_are_none(digits, monkeypatch, caplog, failure):
    """With a warning: nothing of the search needs them."""

    def full():
        raise OSError("no space left on device")

    if failure == "disk":
        monkeypatch.setattr(tempfile, "TemporaryFile", full)
    else:
        monkeypatch.setattr("sys.executable", "/bin/false")
    with caplog.at_level(logging.WARNING):
        background = BackgroundRivals(digits)
        assert background.wait(60) is None
    assert [record.message.partition(" rivals ")[0] for record in caplog.records] == ["simple"]
