"""Networks as numbers."""

import math

from hypothesis import given

from tests.support.generators import plans
from tests.support.records import genome
from vlga.networks.features import features_of
from vlga.networks.phenotype import decode

SHAPES = [len(group) for group in features_of(decode(genome(1), (3, 16, 16), 10))]


@given(plans())
def test_every_network_has_as_many_finite_numbers(plan):
    """However long it is, and whatever the images."""
    groups = features_of(plan)

    assert [len(group) for group in groups] == SHAPES
    assert all(math.isfinite(number) for group in groups for number in group)


def test_what_differs_is_in_the_group_of_what_differs():
    """A learning rate is of the training, a block of the shape."""
    one, faster, deeper = (
        features_of(decode(made, (3, 16, 16), 10))
        for made in (genome(1), genome(1, learning_rate=0.2), genome(2))
    )

    assert (one[0] != faster[0], one[1] == faster[1]) == (True, True)
    assert (one[0] == deeper[0], one[1] != deeper[1]) == (True, True)
