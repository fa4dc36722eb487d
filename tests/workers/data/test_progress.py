import logging

from workers.data.progress import counted


def test_a_long_wait_is_told(caplog):
    """The first line comes after three seconds, each next one after twice as long; then the end."""
    caplog.set_level(logging.INFO)
    ticks = iter(range(2000))  # the clock is looked at once to begin and at each one

    assert list(counted("reading images", range(1500), 1500, lambda: next(ticks))) == [*range(1500)]
    assert caplog.messages[:3] == [
        "reading images: 3 of 1,500",
        "reading images: 9 of 1,500",
        "reading images: 21 of 1,500",
    ]
    assert len(caplog.messages) < 40


def test_a_short_one_is_not(caplog):
    """What takes no time needs no words."""
    caplog.set_level(logging.INFO)

    assert list(counted("reading images", "abc", 3, lambda: 0.0)) == ["a", "b", "c"]
    assert not caplog.records
