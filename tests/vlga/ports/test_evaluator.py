import pytest

from vlga.ports.evaluator import worthwhile_threads


@pytest.mark.parametrize(
    ("n_macs", "batch_size", "n_threads", "expected"),
    [
        (1, 1, 4, 1),  # never none
        (2**17, 64, 4, 1),
        (2**18, 64, 4, 2),
        (2**30, 64, 4, 4),  # never more than there may be
        (2**30, 64, 1, 1),
    ],
)
def test_small_steps_use_few_threads(n_macs, batch_size, n_threads, expected):
    """A step of 2**23 multiply-accumulates is enough for one."""
    assert worthwhile_threads(n_macs, batch_size, n_threads) == expected
