"""The benchmark on a model of trainings works, in small."""

import pandas as pd
import pytest

from tests.benchmarks.surrogate import Model, configured, search, summary_of
from tests.benchmarks.trainings import INPUTS, TRAININGS, numbers_of, trainings_of

DATA = "fashion-mnist"


@pytest.fixture(scope="module")
def model():
    """Learn from a part of the trainings, as is quick."""
    return Model.of(trainings_of(DATA).sample(300, random_state=0))


def test_its_trainings_are_of_the_present_space():
    """A gene more or less, and they must be collected anew."""
    assert {*INPUTS} <= {*pd.read_csv(TRAININGS, nrows=1).columns}


def test_silent_genes_are_not_told():
    """The known network has no pool that is not asked for, and does not amplify."""
    (network, *_) = configured(DATA, [], 0, 15).founders()
    told = numbers_of(network, summary_of(DATA).input_shape)

    assert {"learning_rate", "blocks.0.channels_a", "log2_macs"} <= told.keys() <= {*INPUTS}
    assert "amplify_factor" not in told


@pytest.mark.parametrize("strategy", ["ladder", "regularized_evolution"])
def test_a_search_finds_the_same_each_time(model, strategy):
    """And something that the model thinks possible."""
    settings = [f"strategy={strategy}", "population.founders=[]"]
    found = [search(model, configured(DATA, settings, 1, 15), summary_of(DATA)) for _ in range(2)]

    assert found[0] == found[1]
    assert 0.1 < found[0] < 1
