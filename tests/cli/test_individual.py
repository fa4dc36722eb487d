import csv
import io
import re
from dataclasses import replace

import pytest

from db.store import SqlStore
from tests.support.command import vlga
from tests.support.records import candidate, evaluation, record
from vlga.genetics.genome import Genome
from vlga.networks.phenotype import decode
from vlga.networks.training import OptimizerPlan
from vlga.networks.trial import Trial
from vlga.ports.candidate import Candidate
from vlga.ports.evaluation import FailureReason, Source
from vlga.ports.ledger import Artifact


@pytest.fixture
def store():
    """A search in the default database, to be filled."""
    store = SqlStore("sqlite:///vlga.db")
    store.create_search(record("first"))
    store.add_candidates("first", [candidate(0), candidate(1), candidate(2, parents=(1, 0))])
    yield store
    store.close()


def amplified(number: int, **genes: object) -> Candidate:
    """Give a candidate whose gradients are amplified."""
    one = candidate(number)
    return replace(one, genome=Genome(replace(one.genome.network, **genes), one.genome.blocks))


class TestTable:
    def test_of_a_winner_tells_all_of_it(self, finished):
        """Where it comes from, its layers, how it learned, and its files, in this order."""
        number = finished.ask("show", "digits-1", "--format", "json").json["best"]["id"]
        shown = finished.ask("individual", "digits-1", str(number)).out
        story = (
            rf"#{number} of digits-1, phase 0 generation 0\n"
            r"made by    sample\n"
            r"network    .*\n"
            r"training   learning rate .*\n"
            r"amplified  .*\n"
            r"plan       [0-9a-f]{16}\n"
            r"\n"
            r"layer +what +shape +parameters +macs\n"
            r"(?:.*\n)+"
            r"classifier .*\n"
            r"\n"
            r"training of 1 epoch in \d+\.\d s: validation accuracy 0\.\d{4}\n"
            r"epoch  learning rate  train loss +train +score +amplified\n"
            r".*\n"
            r" +1 .*\n"
            r"\n"
            r"final training of 1 epoch in \d+\.\d s: test accuracy 0\.\d{4}\n"
            r".*\n.*\n +1 .*\n"
            r"\n"
            r"final weights  /.*/final_weights-.*\.pt\n"
            r"weights        /.*/weights-.*\.pt\n"
        )

        assert re.fullmatch(story, shown), shown

    def test_names_parents_operators_and_inherited_layers(self, store):
        """By their numbers, to be looked at in turn."""
        shown = vlga("individual", "first", "2").out.splitlines()

        made = "made by    uniform crossover from #1 and #0, with the trained layers of #1"
        assert shown[0] == "#2 of first, phase 0 generation 1"
        assert shown[1] == made

    def test_names_operators_in_the_order_in_which_they_followed(self, store):
        """The parents stand beside the one that had them."""
        mutated = replace(
            candidate(3, parents=(1, 0)), operator="uniform_crossover+mutate_one_gene"
        )
        store.add_candidates("first", [replace(mutated, weights_from=None)])

        made = "\nmade by    uniform crossover from #1 and #0, then mutate one gene\n"
        assert made in vlga("individual", "first", "3").out

    def test_tells_a_failure_with_its_reason(self, store):
        """And what is left of its curve."""
        store.add_evaluations("first", [evaluation(0, reason=FailureReason.OUT_OF_MEMORY)])
        shown = vlga("individual", "first", "0").out

        assert "\ntraining failed (out_of_memory): it did not fit\n" in shown
        assert shown.count("█") > 0

    def test_tells_what_was_taken_over(self, store):
        """A reused outcome is said to be another one's."""
        lost = evaluation(1, reason=FailureReason.DIVERGED)
        store.add_evaluations(
            "first",
            [
                replace(evaluation(0), curve=(), source=Source.EQUAL_CANDIDATE),
                replace(lost, curve=(), source=Source.OTHER_SEARCH),
            ],
        )
        shown = [vlga("individual", "first", number).out.splitlines()[-1] for number in "01"]

        assert shown == [
            "training of an equal network: validation accuracy 0.5000",
            "training of an equal network in another search failed (diverged): it did not fit",
        ]

    def test_of_one_not_yet_trained_ends_with_its_layers(self, store):
        """Nothing is made up."""
        assert vlga("individual", "first", "1").out.splitlines()[-1].startswith("classifier")

    @pytest.mark.parametrize(
        ("genes", "words"),
        [
            ({"amplify": "off"}, "nothing"),
            (
                {"amplify": "random", "amplify_ratio": 0.25, "amplify_kind": "conv"},
                "gradients of 25% of the conv layers, drawn at random, by 2, from 25%",
            ),
            (
                {"amplify": "intelligent", "amplify_factor": 1.25},
                "gradients of batch norm layers with G1 at or above mean, by 1.25, from 25%",
            ),
        ],
    )
    def test_says_in_words_what_is_amplified(self, store, genes, words):
        """Whose gradients, by how much and when."""
        store.add_candidates("first", [amplified(3, **genes)])

        assert f"amplified  {words}" in vlga("individual", "first", "3").out

    def test_of_a_study_s_named_model_shows_its_layers(self, store):
        """As of any other network, under the names that its library gives them."""
        trial = Trial("small_vgg", None, "plain", OptimizerPlan(0.1, 0.9, 5e-4), None, seed=0)
        store.add_candidates("first", [replace(candidate(3), genome=trial)])
        layers = vlga("individual", "first", "3").out.splitlines()[7:]

        assert layers[0].split() == ["layer", "what", "shape", "parameters", "macs"]
        assert layers[2].split() == (
            ["features.0", "conv", "3x3,", "batch", "norm,", "relu", "16x8x8", "176", "9,216"]
        )
        assert layers[4].split() == ["features.6", "max", "pool", "2x2", "16x4x4", "0", "0"]
        assert layers[-1].split()[0] == "classifier"


def test_json_has_everything(store):
    """The candidate's columns, its layers, every training with its curve, and its files."""
    store.add_evaluations("first", [evaluation(2)], [Artifact(2, "weights", "/w.pt", "ab", 3)])
    shown = vlga("individual", "first", "2", "--format", "json").json
    plan = decode(Genome.from_dict(shown["genome"]), (1, 8, 8), 3)

    assert {"id", "genome", "fingerprint", "phase", "generation", "parents", "operator"} <= set(
        shown
    )
    assert (shown["id"], shown["parents"], shown["weights_from"]) == (2, [1, 0], 1)
    assert sum(layer["parameters"] for layer in shown["layers"]) == plan.n_parameters
    assert [point["epoch"] for point in shown["evaluations"][0]["curve"]] == [0, 1]
    assert shown["artifacts"][0]["path"] == "/w.pt"


def test_csv_is_the_table_of_layers(store):
    """One row a layer, numbers in full."""
    rows = [*csv.DictReader(io.StringIO(vlga("individual", "first", "2", "--format", "csv").out))]

    assert [*rows[0]] == ["layer", "what", "shape", "parameters", "macs"]
    assert rows[-1]["layer"] == "classifier"
    assert all(row["parameters"].isdigit() for row in rows)


class TestMistakes:
    def test_are_those_on_the_test_images(self, finished):
        """Which the winner gets right as often as the search said."""
        best = finished.ask("show", "digits-1", "--format", "json").json["best"]
        told = finished.ask(
            "individual", "digits-1", str(best["id"]), "--mistakes", "--format", "json"
        )
        mistakes = told.json["mistakes"]

        assert told.code == 0
        assert mistakes["classes"] == [*"0123456789"]
        assert mistakes["accuracy"] == pytest.approx(best["test_accuracy"])
        assert len(mistakes["confusion"]) == 10
        assert 0 <= mistakes["calibration_error"] <= 1

        shown = finished.ask("individual", "digits-1", str(best["id"]), "--mistakes").out
        assert re.search(r"\n\nof 359 test images \d+ wrong; accuracy 0\.\d{4}, mean conf", shown)
        assert re.search(r"\nmost confident mistakes +is +taken for +confidence\n", shown)

    def test_are_counted_for_the_winner_alone(self, finished):
        """Whoever chose by the test images would have none left."""
        best = finished.ask("show", "digits-1", "--format", "json").json["best"]["id"]
        other = next(
            row["id"]
            for row in finished.ask("top", "digits-1", "--format", "json").json
            if row["id"] != best
        )
        told = finished.ask("individual", "digits-1", str(other), "--mistakes")

        assert told.code == 2
        assert told.out == ""
        assert told.err == (
            "vlga: --mistakes must be of the winner, for which alone the test images are kept, but "
            f"got #{other}; 'digits-1' has #{best}\n"
        )

    def test_have_no_form_of_csv(self, finished):
        told = finished.ask("individual", "digits-1", "0", "--mistakes", "--format", "csv")

        assert told.code == 2
        assert "--mistakes has no form of CSV" in told.err


def test_mistakes_need_a_winner(store):
    """A search that has trained nothing has none."""
    told = vlga("individual", "first", "2", "--mistakes")

    assert told.code == 2
    assert told.err.endswith("but got #2; 'first' has none yet\n")
