from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from db.ledger import codec
from db.schema.tables import UtcDateTime
from tests.support import generators
from tests.support.records import record
from vlga.networks.phenotype import decode
from vlga.ports.candidate import Candidate
from vlga.ports.evaluation import EpochRecord, Evaluation

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@given(generators.candidates())
def test_a_candidate_comes_back(candidate: Candidate):
    """A candidate's row reads as the candidate."""
    assert codec.candidate(codec.candidate_row(1, candidate)) == candidate


@given(generators.candidates(), generators.input_shapes())
def test_depth_needs_no_images(candidate: Candidate, shape):
    """The depth counted from the genome is that of the decoded network, whatever the images."""
    assert candidate.genome.depth == decode(candidate.genome, shape, 10).depth


@given(generators.evaluations(), st.booleans())
def test_an_evaluation_comes_back(evaluation: Evaluation, is_final: bool):
    """An evaluation's row and those of its curve read as the evaluation."""
    row = codec.evaluation_row(1, evaluation, is_final=is_final, now=NOW)

    assert codec.evaluation(row, codec.epoch_rows(1, evaluation)) == evaluation


def test_a_search_comes_back():
    """A search's row reads as its record."""
    assert codec.search_record(codec.search_row(record("first", seed=4), NOW)) == record(
        "first", seed=4
    )


@given(st.text())
def test_any_text_can_be_kept(text: str):
    """Cleaned text is Unicode without NUL, as long as before, and equal to it if it was clean."""
    cleaned = codec.clean_text(text)

    cleaned.encode()
    assert "\0" not in cleaned
    assert len(cleaned) == len(text)
    assert codec.clean_text(cleaned) == cleaned
    assert all(
        new in (old, "\N{REPLACEMENT CHARACTER}") for old, new in zip(text, cleaned, strict=True)
    )


def test_numbers_that_are_not_finite_are_left_out():
    """A NaN or infinite loss is kept as nothing and read as NaN where there must be a number."""
    point = EpochRecord(0, math.inf, math.nan, math.nan, -math.inf, 0.1, 1.0)
    (row,) = codec.epoch_rows(1, Evaluation(0, 1, 0, 0.5, curve=(point,)))

    assert [row[key] for key in ("train_loss", "validation_loss")] == [None, None]
    back = codec.epoch_record(row)
    assert math.isnan(back.train_loss)
    assert math.isnan(back.train_accuracy)
    assert (back.validation_loss, back.validation_accuracy) == (None, None)


def test_a_moment_must_know_its_zone():
    """A time without a zone is a bug and refused; no time stays none."""
    moments, sqlite = UtcDateTime(), SQLiteDialect()
    with pytest.raises(TypeError, match="must be aware of its time zone"):
        moments.process_bind_param(NOW.replace(tzinfo=None), sqlite)

    assert moments.process_bind_param(None, sqlite) is None
    assert moments.process_result_value(None, sqlite) is None
