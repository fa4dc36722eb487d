"""The outcomes of a search as `vlga.report.search.summary` reads them, and learning curves to draw.

Every training's figures are read, which takes a second or two for a hundred thousand. Genomes are
read of as many as asked for: each takes as long as the figures of ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from sqlalchemy import Engine, select

from db.connection.engine import reading
from db.read.names import find_search_id
from db.schema.tables import candidates, epochs, evaluations, searches
from vlga.config.objectives import weighed
from vlga.genetics.genome import Genome
from vlga.report.search.summary import Outcome, each_once, pareto_front

__all__ = ["learning_curves", "search_front", "search_genomes", "search_outcomes"]

#: Candidates asked for at once: below the number of values that a statement may have.
_AT_ONCE = 500


def search_outcomes(engine: Engine, name: str) -> list[Outcome]:
    """Give every outcome of a search in the order of recording, final trainings left out.

    Raises:
        SearchNotFound: no search of that name.
    """
    with reading(engine) as connection:
        # In the order of an outcome's fields.
        rows = connection.execute(
            select(
                candidates.c.id,
                candidates.c.phase,
                candidates.c.generation,
                candidates.c.rung,
                candidates.c.operator,
                candidates.c.depth,
                candidates.c.fingerprint,
                evaluations.c.fitness,
                evaluations.c.reason,
                evaluations.c.on_budget,
                evaluations.c.epochs,
                evaluations.c.n_parameters.label("parameters"),
                evaluations.c.n_macs.label("macs"),
                evaluations.c.latency_seconds,
                evaluations.c.id,
            )
            .join_from(evaluations, candidates)
            .where(evaluations.c.search_id == find_search_id(connection, name))
            .where(evaluations.c.is_final.is_(False))
            # By key, as they lie on the disk: SQLite would otherwise follow another index, and look
            # for every row somewhere else.
            .order_by(evaluations.c.candidate_id)
        ).all()
    outcomes: list[Outcome] = [Outcome(*values) for *values, _ in sorted(rows, key=itemgetter(-1))]
    return outcomes


def search_front(engine: Engine, name: str) -> list[Outcome]:
    """Give a search's Pareto front, the fittest first, by the objectives that it weighs.

    Raises:
        SearchNotFound: no search of that name.
    """
    with reading(engine) as connection:
        search_id = find_search_id(connection, name)
        config = connection.execute(
            select(searches.c.config).where(searches.c.id == search_id)
        ).scalar_one()
    members = each_once(search_outcomes(engine, name))
    return pareto_front(members, weighed(config))[::-1]


def search_genomes(engine: Engine, name: str, ids: Sequence[int]) -> dict[int, Genome]:
    """Give some candidates' genomes by their numbers; a known network has none and is left out.

    Raises:
        SearchNotFound: no search of that name.
        GenomeError: it was made by another version.
    """
    genomes: dict[int, Genome] = {}
    with reading(engine) as connection:
        mine = candidates.c.search_id == find_search_id(connection, name)
        statement = select(candidates.c.id, candidates.c.genome).where(mine)
        for start in range(0, len(ids), _AT_ONCE):
            rows = connection.execute(
                statement.where(candidates.c.id.in_(ids[start : start + _AT_ONCE]))
            )
            genomes |= {
                number: Genome.from_dict(genome)
                for number, genome in rows
                if "trial_version" not in genome
            }
    return genomes


def learning_curves(
    engine: Engine, name: str, ids: Sequence[int]
) -> dict[int, list[tuple[int, float]]]:
    """Give the learning curves of a few candidates' best trainings, in the order of `ids`.

    Returns:
        By candidate, points of (epochs trained, from 1; validation accuracy in [0, 1]); a candidate
        without a point, such as one that took its outcome over, is left out.

    Raises:
        SearchNotFound: no search of that name.
    """
    accuracy = epochs.c.validation_accuracy
    with reading(engine) as connection:
        rows = connection.execute(
            select(evaluations.c.id, evaluations.c.candidate_id, epochs.c.epoch, accuracy)
            .join_from(evaluations, epochs, epochs.c.evaluation_id == evaluations.c.id)
            .where(evaluations.c.search_id == find_search_id(connection, name))
            .where(evaluations.c.candidate_id.in_(ids), evaluations.c.is_final.is_(False))
            .where(evaluations.c.fitness.is_not(None), accuracy.is_not(None))
            .order_by(evaluations.c.fitness.desc(), evaluations.c.id, epochs.c.epoch)
        ).all()
    best: dict[int, int] = {}
    curves: dict[int, list[tuple[int, float]]] = {}
    for evaluation_id, candidate_id, epoch, value in rows:
        if best.setdefault(candidate_id, evaluation_id) == evaluation_id:
            curves.setdefault(candidate_id, []).append((epoch + 1, value))
    return {number: curves[number] for number in ids if number in curves}
