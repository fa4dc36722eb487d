import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlga.execution.pace import Moment, Pace, busy_share, trainings_per_minute


def paced(n_slots, *notes):
    """Give the pace of so many workers after notes of (time, running, ended)."""
    pace = Pace()
    for now, n_running, *n_ended in notes:
        pace.note(now, n_running, n_slots, *n_ended)
    return pace


@pytest.mark.parametrize(("busy_seconds", "share"), [(0, 0.0), (30, 0.25), (120, 1.0)])
def test_busy_share(busy_seconds, share):
    """Of a minute of two workers."""
    first, last = Moment(10.0, 3, 500.0, 100.0), Moment(70.0, 5, 620.0, 100.0 + busy_seconds)

    assert busy_share(first, last) == share
    assert busy_share(first, first) is None


def test_trainings_per_minute():
    """From the first moment to the last; where nothing has ended there is no pace."""
    first, middle, last = (Moment(*one, 0, 0) for one in ((10, 3), (20, 4), (40, 5)))

    assert trainings_per_minute([first, middle, last]) == 4.0
    assert trainings_per_minute([first, Moment(40, 3, 0, 0)]) is None
    assert trainings_per_minute([]) is None


class TestPace:
    def test_nothing_is_known_before_the_first_training(self):
        """However long it took to read the ledger, workers had nothing to be busy with."""
        pace = paced(2, (0.0, 0), (50.0, 0))

        assert (pace.busy_share, pace.trainings_per_minute) == (None, None)

    def test_counts_from_the_first_training_on(self):
        """Two workers: ten seconds with both busy, ten with one, twenty with none."""
        pace = paced(2, (0, 0), (100, 2), (110, 1, 1), (120, 0, 1), (140, 0))

        assert pace.busy_share == 30 / 80
        assert pace.trainings_per_minute == 2 * 60 / 40

    def test_workers_may_become_more(self):
        """Ten seconds of one worker, busy; then ten of three, of which one is."""
        pace = Pace()
        for now, n_slots in ((0, 1), (10, 3), (20, 3)):
            pace.note(now, 1, n_slots)

        assert pace.busy_share == 20 / 40

    def test_a_training_counts_while_it_runs(self):
        """Workers with trainings of an hour are busy before the first of them has ended."""
        pace = paced(1, (0, 1), (60, 1))

        assert (pace.busy_share, pace.trainings_per_minute) == (1.0, None)

    def test_follows_the_last_minutes(self):
        """One training a second for an hour, then one in ten seconds: after five minutes that."""
        pace = paced(1, (0, 1), *((second, 1, 1) for second in range(1, 3601)))
        before = pace.trainings_per_minute
        for step in range(1, 32):
            pace.note(3600 + 10 * step, 1, 1, n_ended=1)

        assert before == pytest.approx(60)
        assert pace.trainings_per_minute == pytest.approx(6)

    def test_looks_back_for_as_many_trainings_as_make_a_pace(self):
        """One training in ten minutes: the last five minutes alone would say none, or two."""
        pace = paced(1, (0, 1), *((600 * n, 1, 1) for n in range(1, 31)))
        pace.note(30 * 600 + 400, 1, 1)

        assert 60 * pace.trainings_per_minute == pytest.approx(6, rel=0.1)

    def test_keeps_no_more_than_it_needs(self):
        """A thousand trainings a second for an hour are a few hundred moments."""
        pace = paced(1, (0, 1), *((n / 1000, 1, 1) for n in range(1, 600_000)))

        assert len(pace._window) <= 302

    @given(
        n_slots=st.integers(1, 4),
        notes=st.lists(st.tuples(st.floats(0, 1000), st.integers(0, 4), st.integers(0, 5))),
    )
    def test_shares_and_paces_are_possible(self, n_slots, notes):
        """Whatever happens when: a share in [0, 1], a pace above 0."""
        pace, now = Pace(), 0.0
        for seconds, n_running, n_ended in notes:
            now += seconds
            pace.note(now, min(n_running, n_slots), n_slots, n_ended)

            assert pace.busy_share is None or 0 <= pace.busy_share <= 1
            assert pace.trainings_per_minute is None or pace.trainings_per_minute > 0
