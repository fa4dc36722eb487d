from __future__ import annotations

import itertools
from contextlib import closing

import pandas as pd
import pytest

from db import frames
from db.store import SqlStore
from tests.support.records import MISTAKES, genome
from vlga.errors import SearchNotFound

pytestmark = pytest.mark.usefixtures("engine")  # fills the database at `url`


def test_population_has_a_row_per_candidate(url: str):
    """`population` joins each candidate with its fittest evaluation, absent facts as missing."""
    table = frames.population(url, "digits-1").set_index("id")

    assert table.index.tolist() == [0, 1, 2, 3, 4, 5]
    assert table["fitness"].fillna(-1).tolist() == [0.75, 0.5, 0.5, -1, 0.125, -1]
    assert table["epochs"].fillna(-1).tolist() == [3, 2, 2, 1, 0, -1]
    assert table["status"].fillna("none").tolist() == ["completed"] * 3 + [
        "failed",
        "completed",
        "none",
    ]
    assert table["reason"].fillna("none").tolist()[3:] == ["out_of_memory", "none", "none"]
    assert table["reused"].fillna(False).tolist() == [False, False, False, False, True, False]
    assert table["parents"].tolist() == [(), (), (0, 1), (0, 2), (2,), ()]
    assert table["depth"].tolist() == [2, 2, 2, 2, 4, 4]
    assert {name: str(table[name].dtype) for name in ("fitness", "parameters", "weights_from")} == {
        "fitness": "Float64",
        "parameters": "Int64",
        "weights_from": "Int64",
    }
    assert str(table["finished_at"].dtype) == "datetime64[us, UTC]"


def test_the_front_has_the_rows_of_the_population_that_are_on_it(url: str):
    """One here, smaller and fitter than all others; a search without networks has none."""
    table = frames.front(url, "digits-1")

    assert table["id"].tolist() == [0]
    assert table.columns.tolist() == frames.population(url, "digits-1").columns.tolist()
    assert frames.front(url, "empty").empty


def test_confusion_has_what_the_winner_takes_each_class_for(url: str):
    """A row for what images are, a column for what they are taken for."""
    with closing(SqlStore(url)) as store:
        store.update_search("digits-1", best_candidate_id=4)
    table = frames.confusion(url, "digits-1")

    assert table.loc["eins", "zero"] == 20
    assert table.to_numpy().tolist() == [[*row] for row in MISTAKES.confusion]
    assert (table.index.name, table.columns.name) == ("class", "taken_for")


def test_evaluations_have_a_row_each(url: str):
    """`evaluations` has every outcome, final trainings too, oldest first."""
    table = frames.evaluations(url, "digits-1")

    assert table["candidate_id"].tolist() == [0, 2, 1, 3, 0, 4, 4]
    assert table["is_final"].tolist() == [False] * 6 + [True]
    assert table["macs"].dtype == "Int64"
    assert table["macs"].max() == 10**10 + 4


def test_epochs_are_the_learning_curves(url: str):
    """`epochs` has one row per epoch of every evaluation, in order."""
    table = frames.epochs(url, "digits-1")

    assert len(table) == 2 + 2 + 2 + 1 + 3 + 0 + 2
    final = table[table["is_final"]]
    assert final["candidate_id"].tolist() == [4, 4]
    assert final["train_loss"].tolist() == [1.0, 0.5]
    assert final["amplified_layers"].tolist() == [("blocks.0.a",)] * 2


def test_genes_have_a_column_each(url: str):
    """`genes` has the allele at every address, missing where a genome has no such block."""
    table = frames.genes(url, "digits-1")

    assert table.index.tolist() == [0, 1, 2, 3, 4, 5]
    assert table.columns.tolist() == list(genome(2).genes())
    assert table.loc[4].to_dict() == genome(2).genes()
    assert table["blocks.1.kernel_a"].isna().tolist() == [True] * 4 + [False] * 2
    assert str(table["blocks.1.kernel_a"].dtype) == "Int64"
    assert str(table["blocks.1.skip"].dtype) == "boolean"


def test_genes_join_the_population(url: str):
    """The example of the module's docstring: mean fitness by allele."""
    table = frames.population(url, "digits-1")
    joined = table.join(frames.genes(url, "digits-1"), on="id")

    assert joined.groupby("learning_rate")["fitness"].mean().tolist() == [pytest.approx(0.46875)]


def test_lineage_is_the_family_tree(url: str):
    """`lineage` has an edge from each parent to each child."""
    table = frames.lineage(url, "digits-1")

    edges = list(table[["parent", "child"]].itertuples(index=False, name=None))
    assert edges == [(0, 2), (1, 2), (0, 3), (2, 3), (2, 4)]
    assert table["operator"].unique().tolist() == ["uniform_crossover"]


FRAMES = [frames.population, frames.evaluations, frames.epochs, frames.genes, frames.lineage]


def test_pages_put_together_are_the_whole_frame(url: str):
    """Every row is on the page of its candidate and on no other."""
    for frame, limit in itertools.product(FRAMES, (1, 4)):
        pages = [frame(url, "digits-1", limit=limit, offset=start) for start in range(0, 6, limit)]
        whole, read = frame(url, "digits-1"), pd.concat(pages)

        by = [name for name in ("candidate_id", "evaluation_id", "epoch") if name in whole]
        if by:  # a whole frame has them in the order of recording
            whole, read = whole.sort_values(by), read.sort_values(by)
        if frame is not frames.genes:  # whose index is the candidate
            whole, read = whole.reset_index(drop=True), read.reset_index(drop=True)
        pd.testing.assert_frame_equal(read, whole)


def test_behind_the_last_candidate_pages_are_empty(url: str):
    """Which is how a reader knows the end; without a limit an offset gives all that follow."""
    for frame in FRAMES:
        assert len(frame(url, "digits-1", limit=5, offset=6)) == 0
        assert len(frame(url, "digits-1", limit=0)) == 0
        rest = frame(url, "digits-1", offset=4)
        pd.testing.assert_frame_equal(rest, frame(url, "digits-1", limit=9, offset=4))


def test_pages_of_different_frames_belong_together(url: str):
    """They are of the same candidates, whatever the order of recording."""
    shown = {"limit": 2, "offset": 1}

    assert frames.population(url, "digits-1", **shown)["id"].tolist() == [1, 2]
    assert frames.genes(url, "digits-1", **shown).index.tolist() == [1, 2]
    assert frames.evaluations(url, "digits-1", **shown)["candidate_id"].tolist() == [2, 1]
    assert set(frames.epochs(url, "digits-1", **shown)["candidate_id"]) == {1, 2}
    assert set(frames.lineage(url, "digits-1", **shown)["child"]) == {2}


@pytest.mark.parametrize("frame", FRAMES)
def test_an_empty_search_gives_an_empty_table(url: str, frame):
    """A search without candidates has empty tables; an unknown one is refused."""
    assert isinstance(frame(url, "empty"), pd.DataFrame)
    assert len(frame(url, "empty")) == 0
    with pytest.raises(SearchNotFound, match="did you mean 'digits-1'"):
        frame(url, "digits1")
