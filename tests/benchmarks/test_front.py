"""The benchmark of fronts works, in small."""

import math

import pytest

from tests.benchmarks.front import hypervolume, main
from vlga.ports.evaluation import Evaluation, FailureReason


def outcome(fitness, n_parameters):
    """Give a training's outcome; without a fitness a failed one."""
    reason = FailureReason.DIVERGED if fitness is None else None
    return Evaluation(0, 1, 0, fitness, reason, n_parameters=n_parameters)


def test_the_hypervolume_is_an_area():
    """Worked by hand: two steps of a stair; what is dominated, failed or too large adds nothing."""
    two = [outcome(0.5, 10**3), outcome(0.8, 10**5)]
    more = [*two, outcome(0.5, 10**4), outcome(None, 1), outcome(0.9, 10**7)]

    assert hypervolume(two) == pytest.approx(0.5 * 4 + 0.3 * 2)
    assert hypervolume(more) == pytest.approx(hypervolume(two))
    assert hypervolume([]) == 0


def test_every_search_has_its_row(capsys):
    """Real trainings, four for each."""
    main(["--small"])
    *_, rows = capsys.readouterr().out.partition("seed 0")

    for name in ("fitness and parameters", "fitness alone", "random_search", "Optuna's NSGA-II"):
        [line] = [one for one in rows.splitlines() if name in one and "±" in one]
        assert math.isfinite(float(line.partition("±")[0].split()[-1]))
