"""What a search says of its winner at its end."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from tests.support.records import DATA, candidate, evaluation, genome_of_default
from vlga.app.searches import Outcome
from vlga.cli.search import conclude
from vlga.config.load import load_config
from vlga.networks.phenotype import decode
from vlga.ports.candidate import Individual
from vlga.ports.ledger import SearchRecord

KNOWN = genome_of_default()


def told(winner: Individual, fittest: Individual, **population: object) -> str:
    config = load_config()
    config = config.model_copy(
        update={"population": config.population.model_copy(update=population)}
    )
    record = SearchRecord("first", config, DATA, versions={})
    file = io.StringIO()
    console = Console(file=file, soft_wrap=True, highlight=False)
    conclude(
        Outcome(winner, fittest, None, "its budget is used", has_failed=False), record, console
    )
    return file.getvalue()


def individual(number: int, accuracy: float) -> Individual:
    fingerprint = decode(KNOWN, DATA.input_shape, len(DATA.classes)).fingerprint
    one = replace(candidate(number), genome=KNOWN)
    if number == 0:
        one = replace(one, fingerprint=fingerprint)
    return Individual(one, evaluation(number, accuracy))


@pytest.mark.parametrize(
    ("winner", "founders", "why"),
    [
        (0, [KNOWN.to_dict()], "it is the first of the known networks, seldom worse in the end"),
        (1, [KNOWN.to_dict()], "it computes more, as pays in a longer training"),
        (0, [], "it computes more, as pays in a longer training"),
    ],
)
def test_it_says_why_the_fittest_did_not_win(winner, founders, why):
    """A rule that decides for the user is said."""
    text = told(individual(winner, 0.9), individual(7, 0.91), founders=founders)

    assert f"chosen over #7 with 0.9100, which 250 images cannot tell from it: {why}\n" in text


def test_it_says_nothing_where_the_fittest_won():
    """There is nothing to explain."""
    assert "chosen over" not in told(individual(0, 0.9), individual(0, 0.9))
