"""A search's trained networks by ``SEARCH[:ID]``: what predictions and exports start from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from db.read import searches
from db.read.folder import files_folder
from db.store import SqlStore
from vlga.config.fitness import FitnessName
from vlga.errors import ConfigError, StoreError, shown
from vlga.execution.artifacts import ArtifactFolder
from vlga.networks.phenotype import Plan, heritage_from_dict, plan_of
from vlga.ports.data import DataSummary
from vlga.ports.ledger import Artifact, SearchRecord

__all__ = ["TrainedNetwork", "find_committee", "find_trained"]

#: Candidates that a message names.
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """A network with its weights, and what is known of it.

    Attributes:
        search: its name.
        candidate_id: whose network it is.
        data: the images that it was trained on.
        plan: of the network.
        weights: as `workers.networks.weights.pack_weights` gave them.
        epochs: of the training that gave the weights.
        fitness_name: what the search's fitness is.
        fitness: in [0, 1], of its training in the search.
        test_accuracy: likewise, of its longer training; None if the weights are not of one.
        test_fitness: likewise.
        committee_accuracy: of the committee that it is found as a member of, on the test images;
            None if it is found by itself.
    """

    search: str
    candidate_id: int
    data: DataSummary
    plan: Plan
    weights: bytes
    epochs: int
    fitness_name: FitnessName
    fitness: float
    test_accuracy: float | None
    test_fitness: float | None
    committee_accuracy: float | None = None

    @contextmanager
    def must_fit(self) -> Iterator[None]:
        """While the weights are put into the network: an error is that they do not fit."""
        try:
            yield
        except (ValueError, RuntimeError) as error:
            raise StoreError(
                f"the weights of candidate {self.candidate_id} of {self.search!r} must fit this "
                f"version's networks, but: {str(error).splitlines()[0]}; begin another search with "
                f"its best networks: vlga search --like {self.search}"
            ) from error


def find_committee(store: SqlStore, name: str) -> tuple[TrainedNetwork, ...]:
    """Find what a search answers with, and its weights: its committee, or one network.

    Args:
        store: where the search is.
        name: ``SEARCH``, whose committee is meant, if it has one, else its winner;
            ``SEARCH:committee``; or ``SEARCH:ID``.

    Raises:
        ConfigError: the committee that is asked for is not there.
        SearchNotFound, NoIndividual, StoreError: as `find_trained`.
    """
    search, colon, which = name.partition(":")
    if colon and which != "committee":
        return (find_trained(store, name),)
    record = store.find_search(search)
    committee = searches.show_search(store.engine, search)["committee"]
    if committee is None and not colon:
        return (find_trained(store, name),)
    if committee is None:
        more = max(3, record.config.final.committee + (record.status == "completed"))
        raise ConfigError(
            f"SEARCH:committee must have been trained, but {search!r} has no committee; go on "
            f"with: vlga resume {search} --set final.committee={more}"
        )
    accuracy = committee["test_accuracy"]
    return tuple(
        replace(find_trained(store, f"{search}:{number}"), committee_accuracy=accuracy)
        for number in committee["members"]
    )


def find_trained(store: SqlStore, name: str) -> TrainedNetwork:
    """Find a trained network with its weights.

    A winner has those of its longer training, and so has a member of a committee. Another candidate
    has those that the search kept for its children, if it did.

    Args:
        store: where the search is.
        name: ``SEARCH``, whose winner is meant, or ``SEARCH:ID``.

    Raises:
        SearchNotFound: there is no such search.
        NoIndividual: it has no such candidate.
        ConfigError: ID is no number; the winner was not trained longer; no weights of the candidate
            were kept.
        StoreError: the weights' file is gone, or is not what was written.
    """
    search, colon, number = name.partition(":")
    if colon and not re.fullmatch("[0-9]{1,18}", number):
        raise ConfigError(f"SEARCH:ID must end in a number, or in committee, but got {shown(name)}")
    record = store.find_search(search)
    candidate_id = int(number) if colon else record.best_candidate_id
    if candidate_id is None:
        raise _not_trained_longer(record)
    found = searches.individual(store.engine, search, candidate_id)
    files = {file["kind"]: file for file in found["artifacts"]}
    file = files.get("final_weights") or (files.get("weights") if colon else None)
    if file is None:
        raise _no_weights(store, search, candidate_id) if colon else _not_trained_longer(record)
    is_final = file["kind"] == "final_weights"
    trainings = [one for one in found["evaluations"] if one["fitness"] is not None]
    of_search = [one for one in trainings if not one["is_final"]]
    longer = [one for one in trainings if one["is_final"] and one["epochs"]]
    training = (longer if is_final else of_search)[-1]
    fields = ("kind", "path", "sha256", "n_bytes")
    artifact = Artifact(candidate_id, **{key: file[key] for key in fields})
    data = record.data
    return TrainedNetwork(
        search=search,
        candidate_id=candidate_id,
        data=data,
        plan=plan_of(heritage_from_dict(found["genome"]), data.input_shape, len(data.classes)),
        weights=ArtifactFolder(files_folder(store.engine), search).load(artifact).data,
        epochs=training["epochs"],
        fitness_name=record.config.fitness,
        fitness=max(one["fitness"] for one in of_search),
        test_accuracy=training["test_accuracy"] if is_final else None,
        test_fitness=training["fitness"] if is_final else None,
    )


def _not_trained_longer(record: SearchRecord) -> ConfigError:
    way_out = f"go on with: vlga resume {record.name}"
    if not record.config.final.epochs:
        way_out = "begin another with --set final.epochs=N"
    return ConfigError(
        "a search must have trained its winner longer for it to be of use, "
        f"but {record.name!r} has not; {way_out}"
    )


def _no_weights(store: SqlStore, search: str, candidate_id: int) -> ConfigError:
    kept = sorted({one.candidate_id for one in store.artifacts(search)})
    more = ", ..." if len(kept) > _MOST_NAMED else ""
    known = ", ".join(map(str, kept[:_MOST_NAMED])) + more if kept else "none"
    return ConfigError(
        f"a candidate's weights must have been kept, but those of {candidate_id} in {search!r} "
        f"were not; kept are those of: {known}"
    )
