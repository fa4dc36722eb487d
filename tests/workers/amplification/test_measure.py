"""How steady gradients are: measures worked by hand and against a slow reference."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workers.amplification.measure import GradientMeter

steps = st.lists(
    st.lists(st.floats(-1e3, 1e3, allow_subnormal=False), min_size=3, max_size=3),
    min_size=1,
    max_size=6,
)


def measured(gradients, measure, dtype=torch.float64):
    meter = GradientMeter()
    for gradient in gradients:
        meter.add("layer", 0, torch.tensor(gradient, dtype=dtype))
    return meter.measures(measure)["layer"]


def test_measures_worked_by_hand():
    """Elements +1 +1, +4 -2 and 0 0: pooled 4/8; per element the mean of 1, 1/3 and 0."""
    gradients = [[1.0, 4.0, 0.0], [1.0, -2.0, 0.0]]
    assert measured(gradients, "G1") == pytest.approx(4 / 8)
    assert measured(gradients, "G2") == pytest.approx((1 + 1 / 3 + 0) / 3)


@given(steps)
def test_measures_agree_with_a_slow_reference(gradients):
    """Plain Python over steps and elements gives the same numbers, within [0, 1]."""
    kept = [abs(math.fsum(element)) for element in zip(*gradients, strict=True)]
    moved = [math.fsum(abs(g) for g in element) for element in zip(*gradients, strict=True)]
    pooled = sum(kept) / sum(moved) if sum(moved) else 0
    each = [k / m if m else 0 for k, m in zip(kept, moved, strict=True)]
    assert measured(gradients, "G1") == pytest.approx(pooled, abs=1e-12)
    assert measured(gradients, "G2") == pytest.approx(sum(each) / 3, abs=1e-12)
    for measure in ("G1", "G2"):
        assert 0 <= measured(gradients, measure, torch.float32) <= 1


@given(steps, st.sampled_from([2.0, 8.0, 1024.0]))
def test_a_constant_multiplier_leaves_the_measures_as_they_are(gradients, factor):
    """Why the gradients of an amplified epoch need no division."""
    larger = [[g * factor for g in gradient] for gradient in gradients]
    for measure in ("G1", "G2"):
        assert measured(larger, measure) == measured(gradients, measure)


def test_all_tensors_of_a_layer_count_together():
    """Weight and bias are pooled element by element, not averaged as two."""
    meter = GradientMeter()
    for sign in (1.0, -1.0):
        meter.add("layer", "weight", torch.ones(3))
        meter.add("layer", "bias", torch.tensor([sign]))
    assert meter.measures("G1") == {"layer": pytest.approx(6 / 8)}
    assert meter.measures("G2") == {"layer": pytest.approx(3 / 4)}


def test_no_gradient_at_all_measures_zero():
    """0/0 counts as 0, in both measures."""
    assert measured([[0.0, 0.0, 0.0]], "G1") == 0
    assert measured([[0.0, 0.0, 0.0]], "G2") == 0


def test_an_overflow_is_not_hidden():
    """A gradient that is not finite gives no number that could be compared."""
    for measure in ("G1", "G2"):
        assert math.isnan(measured([[math.nan, 1.0, 1.0]], measure))


def test_half_precision_gradients_add_up_in_single_precision():
    """1 + 1000 * 2**-10 is lost in bfloat16, one addition after the other."""
    meter = GradientMeter()
    meter.add("layer", 0, torch.ones(1, dtype=torch.bfloat16))
    for _ in range(1000):
        meter.add("layer", 0, torch.full((1,), -(2.0**-10), dtype=torch.bfloat16))
    kept, moved = 1 - 1000 / 1024, 1 + 1000 / 1024
    assert meter.measures("G1")["layer"] == pytest.approx(kept / moved)


def test_an_output_is_averaged_over_the_batch_and_each_use_is_a_step():
    """Two uses of (2, 1) whose batch means are 2 and -1, and one of another shape."""
    meter = GradientMeter()
    meter.add_output("layer", torch.tensor([[1.0], [3.0]]))
    meter.add_output("layer", torch.tensor([[-2.0], [0.0]]))
    assert meter.measures("G1")["layer"] == pytest.approx(1 / 3)
    meter.add_output("layer", torch.ones(2, 3))
    assert meter.measures("G1")["layer"] == pytest.approx(4 / 6)
    assert meter.measures("G2")["layer"] == pytest.approx((1 / 3 + 3) / 4)
