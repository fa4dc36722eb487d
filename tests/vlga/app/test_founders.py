"""The best networks of an earlier search as the founders of another."""

from contextlib import closing
from dataclasses import replace

import pytest

from db.store import SqlStore
from tests.support.records import DATA, candidate, evaluation, genome_of_default, record
from vlga.app.founders import with_founders_of
from vlga.config.load import load_config
from vlga.errors import ConfigError

CONFIG = load_config(settings=["strategy=ladder"])


@pytest.fixture
def store(tmp_path):
    """A database with a search of six networks, the last two of them equal; fitter ones later."""
    with closing(SqlStore(f"sqlite:///{tmp_path}/vlga.db")) as opened:
        opened.create_search(record("first"))
        made = [
            replace(
                candidate(number), genome=genome_of_default(1).with_genes({"learning_rate": rate})
            )
            for number, rate in enumerate((0.4, 0.8, 1.6, 3.2, 1.6))
        ]
        made.append(replace(made[-1], id=5))
        opened.add_candidates("first", made)
        opened.add_evaluations("first", [evaluation(one.id, one.id / 10) for one in made])
        yield opened


def test_the_four_best_networks_come_first(store):
    """Each once, the fittest first, before those that the configuration has."""
    own = load_config(
        settings=["strategy=ladder"],
        overrides={"population.founders": [genome_of_default(2).to_dict()]},
    )

    founders = with_founders_of("first", own, DATA, store).founders()

    assert [one.network.learning_rate for one in founders[:4]] == [1.6, 3.2, 1.6, 0.8]
    assert founders[4:] == (genome_of_default(2),)


@pytest.mark.parametrize(
    ("name", "config", "data", "said"),
    [
        ("frist", CONFIG, DATA, "must name a search of the database: .*did you mean 'first'"),
        ("empty", CONFIG, DATA, "must name a search with a result, but 'empty' has none yet"),
        ("study", CONFIG, DATA, "must name a search, but 'study' is a study"),
        (
            "first",
            CONFIG,
            replace(DATA, input_shape=(3, 32, 32)),
            "on images of the same shape, 3x32x32, but 'first' had images of 1x8x8",
        ),
        (
            "first",
            load_config(settings=["strategy=ladder", "space.network.momentum=0.8"]),
            DATA,
            "in the same space, but a network of 'first' has momentum=0.9; start with the space",
        ),
        (
            "first",
            load_config(settings=["strategy=variable_length"]),
            DATA,
            "needs a strategy without generations, .*variable_length",
        ),
    ],
)
def test_what_does_not_fit_is_refused(store, name, config, data, said):
    """In one line, before anything is entered."""
    store.create_search(record("empty"))
    study = record("study").config.model_copy(update={"strategy": "grid"})
    store.create_search(replace(record("study"), config=study))

    with pytest.raises(ConfigError, match=f"^--like .*{said}") as error:
        with_founders_of(name, config, data, store)
    assert "\n" not in str(error.value)
