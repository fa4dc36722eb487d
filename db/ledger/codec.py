"""Values to rows and back, without touching a database.

Integers, floats, None and text come back as they went in, with two exceptions. Text loses what no
database takes: a NUL and half of a surrogate pair become U+FFFD, so that no strange message of a
worker can cost its evaluation. A loss or accuracy that is not a finite number is left out: SQLite
cannot hold a NaN, and JSON can say neither NaN nor infinity.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from vlga.config.load import parse_config
from vlga.networks.phenotype import heritage_from_dict
from vlga.ports.candidate import Candidate
from vlga.ports.data import DataSummary
from vlga.ports.evaluation import EpochRecord, Evaluation, FailureReason, Source
from vlga.ports.ledger import Artifact, SearchRecord
from vlga.ports.rivals import Rivals

__all__ = [
    "Row",
    "artifact",
    "artifact_row",
    "candidate",
    "candidate_row",
    "clean_text",
    "epoch_record",
    "epoch_rows",
    "evaluation",
    "evaluation_row",
    "rivals_tree",
    "search_record",
    "search_row",
]

#: A row by its columns' names.
Row = Mapping[Any, Any]


def clean_text(text: str) -> str:
    """Give the text with U+FFFD for what a database does not take."""
    cleaned = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return cleaned.replace("\0", "\N{REPLACEMENT CHARACTER}")


def search_row(record: SearchRecord, now: datetime) -> dict[str, Any]:
    """Give the row of a search that starts now and has no outcomes."""
    channels, height, width = record.data.input_shape
    return {
        "name": clean_text(record.name),
        "status": record.status,
        "strategy": record.config.strategy,
        "seed": record.config.seed,
        "data_name": clean_text(record.data.name),
        "data_fingerprint": record.data.fingerprint,
        "input_channels": channels,
        "input_height": height,
        "input_width": width,
        "n_classes": len(record.data.classes),
        "classes": list(record.data.classes),
        "n_train": record.data.n_train,
        "n_validation": record.data.n_validation,
        "n_test": record.data.n_test,
        "fitness_on": record.data.fitness_on,
        "config": record.config.model_dump(mode="json"),
        "versions": dict(record.versions),
        "message": clean_text(record.message),
        "best_candidate_id": record.best_candidate_id,
        "test_accuracy": record.test_accuracy,
        "rivals": rivals_tree(record.rivals),
        "seconds": record.seconds,
        "n_completed": 0,
        "n_failed": 0,
        "n_reused": 0,
        "created_at": now,
        "updated_at": now,
    }


def search_record(row: Row) -> SearchRecord:
    """Read a row of `searches`. Raises `ConfigError` if this version refuses its configuration."""
    return SearchRecord(
        name=row["name"],
        config=parse_config(row["config"]),
        data=DataSummary(
            name=row["data_name"],
            fingerprint=row["data_fingerprint"],
            input_shape=(row["input_channels"], row["input_height"], row["input_width"]),
            classes=tuple(row["classes"]),
            n_train=row["n_train"],
            n_validation=row["n_validation"],
            n_test=row["n_test"],
            fitness_on=row["fitness_on"],
        ),
        versions=row["versions"],
        status=row["status"],
        message=row["message"],
        best_candidate_id=row["best_candidate_id"],
        test_accuracy=row["test_accuracy"],
        seconds=row["seconds"],
        rivals=_rivals(row["rivals"]),
    )


def rivals_tree(value: Rivals | None) -> dict[str, Any] | None:
    """Give what the column `rivals` of a search holds."""
    return None if value is None else {**asdict(value), "image_shape": [*value.image_shape]}


def candidate_row(search_id: int, value: Candidate) -> dict[str, Any]:
    """Give the row of a candidate."""
    return {
        "search_id": search_id,
        "id": value.id,
        "genome": value.genome.to_dict(),
        "fingerprint": value.fingerprint,
        "phase": value.phase,
        "generation": value.generation,
        "rung": value.rung,
        "parents": list(value.parents),
        "operator": value.operator,
        "weights_from": value.weights_from,
        "depth": value.genome.depth,
    }


def candidate(row: Row) -> Candidate:
    """Read a row of `candidates`."""
    return Candidate(
        id=row["id"],
        genome=heritage_from_dict(row["genome"]),
        fingerprint=row["fingerprint"],
        phase=row["phase"],
        generation=row["generation"],
        parents=tuple(row["parents"]),
        operator=row["operator"],
        weights_from=row["weights_from"],
        rung=row["rung"],
    )


def evaluation_row(
    search_id: int, value: Evaluation, *, is_final: bool, now: datetime
) -> dict[str, Any]:
    """Give the row of an evaluation that is recorded now; its curve has rows of its own."""
    return {
        "search_id": search_id,
        "candidate_id": value.candidate_id,
        "is_final": is_final,
        "reused": value.source is not Source.TRAINED,
        "on_budget": value.source is not Source.EQUAL_CANDIDATE,
        "epochs": value.epochs,
        "seed": value.seed,
        "status": "completed" if value.completed else "failed",
        "reason": None if value.reason is None else value.reason.value,
        "message": clean_text(value.message),
        "fitness": value.fitness,
        "validation_loss": _finite(value.validation_loss),
        "n_parameters": value.n_parameters,
        "n_macs": value.n_macs,
        "train_seconds": value.train_seconds,
        "worker": clean_text(value.worker),
        "device": clean_text(value.device),
        "peak_memory_bytes": value.peak_memory_bytes,
        "test_accuracy": value.test_accuracy,
        "training_key": value.training_key,
        "latency_seconds": value.latency_seconds,
        "finished_at": now,
    }


def evaluation(row: Row, curve: Iterable[Row] = ()) -> Evaluation:
    """Read a row of `evaluations` and, if asked for, its rows of `epochs`."""
    return Evaluation(
        candidate_id=row["candidate_id"],
        epochs=row["epochs"],
        seed=row["seed"],
        fitness=row["fitness"],
        reason=None if row["reason"] is None else FailureReason(row["reason"]),
        message=row["message"],
        validation_loss=row["validation_loss"],
        n_parameters=row["n_parameters"],
        n_macs=row["n_macs"],
        curve=tuple(epoch_record(point) for point in curve),
        train_seconds=row["train_seconds"],
        worker=row["worker"],
        device=row["device"],
        peak_memory_bytes=row["peak_memory_bytes"],
        test_accuracy=row["test_accuracy"],
        training_key=row["training_key"],
        latency_seconds=row["latency_seconds"],
        source=_source(row),
    )


def epoch_rows(evaluation_id: int, value: Evaluation) -> list[dict[str, Any]]:
    """Give the rows of an evaluation's curve."""
    return [
        {
            "evaluation_id": evaluation_id,
            "epoch": point.epoch,
            "train_loss": _finite(point.train_loss),
            "train_accuracy": _finite(point.train_accuracy),
            "validation_loss": _finite(point.validation_loss),
            "validation_accuracy": _finite(point.validation_accuracy),
            "learning_rate": point.learning_rate,
            "seconds": point.seconds,
            "amplified_layers": list(point.amplified_layers),
            "layer_measures": {
                layer: measure for layer, measure in point.layer_measures if math.isfinite(measure)
            }
            or None,
        }
        for point in value.curve
    ]


def epoch_record(row: Row) -> EpochRecord:
    """Read a row of `epochs`; a training loss or accuracy that is absent is a NaN again."""
    return EpochRecord(
        epoch=row["epoch"],
        train_loss=math.nan if row["train_loss"] is None else row["train_loss"],
        train_accuracy=math.nan if row["train_accuracy"] is None else row["train_accuracy"],
        validation_loss=row["validation_loss"],
        validation_accuracy=row["validation_accuracy"],
        learning_rate=row["learning_rate"],
        seconds=row["seconds"],
        amplified_layers=tuple(row["amplified_layers"]),
        layer_measures=tuple((row["layer_measures"] or {}).items()),
    )


def artifact_row(search_id: int, value: Artifact, now: datetime) -> dict[str, Any]:
    """Give the row of an artifact that is recorded now."""
    return {
        "search_id": search_id,
        "candidate_id": value.candidate_id,
        "kind": value.kind,
        "path": value.path,
        "sha256": value.sha256,
        "n_bytes": value.n_bytes,
        "created_at": now,
    }


def artifact(row: Row) -> Artifact:
    """Read a row of `artifacts`."""
    return Artifact(
        candidate_id=row["candidate_id"],
        kind=row["kind"],
        path=row["path"],
        sha256=row["sha256"],
        n_bytes=row["n_bytes"],
    )


def _rivals(tree: Mapping[str, Any] | None) -> Rivals | None:
    return None if tree is None else Rivals(**{**tree, "image_shape": (*tree["image_shape"],)})


def _source(row: Row) -> Source:
    if not row["reused"]:
        return Source.TRAINED
    return Source.OTHER_SEARCH if row["on_budget"] else Source.EQUAL_CANDIDATE


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
