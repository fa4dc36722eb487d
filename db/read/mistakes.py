"""What a search's committee, or its winner, gets wrong on the test images."""

from __future__ import annotations

import shlex
from typing import Any

from sqlalchemy import Column, Engine, select

from db.connection.engine import reading
from db.read.names import find_search_id
from db.schema.tables import artifacts, evaluations, mistakes, searches
from vlga.errors import NoIndividual
from vlga.ports.mistakes import Mistakes

__all__ = ["has_mistakes", "read_mistakes", "winner_mistakes"]


def has_mistakes(engine: Engine, name: str) -> bool:
    """Tell whether it is known what a search gets wrong.

    Raises:
        SearchNotFound: no search of that name.
    """
    return _of_winner(engine, name, mistakes.c.evaluation_id) is not None


def read_mistakes(engine: Engine, name: str) -> Mistakes | None:
    """Give what a search's answer got wrong: that of its committee, if it has one, or its winner.

    It is None before the longer training.

    Raises:
        SearchNotFound: no search of that name.
    """
    body = _of_winner(engine, name, mistakes.c.body)
    return None if body is None else Mistakes.from_dict(body)


def winner_mistakes(engine: Engine, name: str) -> Mistakes:
    """Give what a search's answer got wrong, as `read_mistakes`.

    Raises:
        SearchNotFound: no search of that name.
        NoIndividual: its winner had no longer training yet.
    """
    found = read_mistakes(engine, name)
    if found is None:
        raise NoIndividual(
            "mistakes are counted at the end of a winner's longer training, which none of "
            f"{name!r} has had in this version; see: vlga show {shlex.quote(name)}"
        )
    return found


def _of_winner(engine: Engine, name: str, column: Column[Any]) -> Any:
    """Give a column of `mistakes` for the score of the committee, or the winner's last, or None."""
    with reading(engine) as connection:
        search_id = find_search_id(connection, name)
        winner = select(searches.c.best_candidate_id).where(searches.c.id == search_id)
        statement = (
            select(evaluations.c.id, evaluations.c.epochs, column)
            .join_from(mistakes, evaluations)
            .where(evaluations.c.search_id == search_id, evaluations.c.is_final.is_(True))
            .where(evaluations.c.candidate_id == winner.scalar_subquery())
        )
        # Asked for the last one, SQLite would read all outcomes of the search.
        rows = sorted(connection.execute(statement).all(), key=lambda row: int(row[0]))
        members = select(artifacts.c.candidate_id).where(
            artifacts.c.search_id == search_id, artifacts.c.kind == "committee_weights"
        )
        has_committee = connection.scalar(members.limit(1)) is not None
    alone = [row[2] for row in rows if row.epochs]
    together = [row[2] for row in rows if not row.epochs and has_committee]
    return next(iter([*together[-1:], *alone[-1:]]), None)
