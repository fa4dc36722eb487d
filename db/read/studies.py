"""The trainings of a study as `vlga.report.study.summary` reads them."""

from __future__ import annotations

from sqlalchemy import Engine, and_, select

from db.connection.engine import reading
from db.read.names import find_search_id
from db.schema.tables import candidates, epochs, evaluations
from vlga.networks.trial import Trial
from vlga.report.study.summary import Run

__all__ = ["study_runs"]


def study_runs(engine: Engine, name: str) -> list[Run]:
    """Give a study's trainings that have ended, with what was amplified and measured, by number.

    Raises:
        SearchNotFound: nothing of that name.
        GenomeError: it is a search and no study.
    """
    with reading(engine) as connection:
        search_id = find_search_id(connection, name)
        rows = connection.execute(
            select(candidates.c.genome, evaluations)
            .join_from(
                evaluations,
                candidates,
                and_(
                    candidates.c.search_id == evaluations.c.search_id,
                    candidates.c.id == evaluations.c.candidate_id,
                ),
            )
            .where(evaluations.c.search_id == search_id, evaluations.c.is_final.is_(False))
            .order_by(evaluations.c.candidate_id)
        ).mappings()
        outcomes = [(row, Trial.from_dict(row["genome"])) for row in rows]
        points = connection.execute(
            select(
                epochs.c.evaluation_id,
                epochs.c.amplified_layers,
                epochs.c.layer_measures,
                epochs.c.validation_accuracy,
            )
            .join_from(epochs, evaluations, epochs.c.evaluation_id == evaluations.c.id)
            .where(evaluations.c.search_id == search_id)
            .order_by(epochs.c.evaluation_id, epochs.c.epoch)
        ).all()
    amplified: dict[int, list[tuple[str, ...]]] = {}
    measures: dict[int, list[dict[str, float]]] = {}
    accuracies: dict[int, list[float | None]] = {}
    for evaluation_id, layers, measured, accuracy in points:
        accuracies.setdefault(evaluation_id, []).append(accuracy)
        amplified.setdefault(evaluation_id, []).append(tuple(layers))
        measures.setdefault(evaluation_id, []).append(measured or {})
    return [
        Run(
            id=row["candidate_id"],
            network=trial.network,
            arm=trial.arm,
            learning_rate=trial.optimizer.learning_rate,
            seed=trial.seed,
            test_accuracy=row["test_accuracy"],
            validation_accuracy=row["fitness"],
            reason=row["reason"],
            amplified=amplified.get(row["id"], []),
            measures=measures.get(row["id"], []),
            accuracies=accuracies.get(row["id"], []),
        )
        for row, trial in outcomes
    ]
