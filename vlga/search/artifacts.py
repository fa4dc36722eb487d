"""Files that a search leaves behind: trained weights, under a folder, named in the ledger."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from vlga.errors import StoreError
from vlga.ports.evaluator import Weights
from vlga.ports.ledger import Artifact

__all__ = ["ARTIFACTS", "ArtifactFolder"]

#: Where searches' folders are, by their names, in the current folder.
ARTIFACTS = Path("vlga-artifacts")


class ArtifactFolder:
    """One search's folder of weight files, made when the first is written.

    A file appears whole or not at all: it is written beside its place, flushed to the disk, and
    moved. It is written before the ledger names it, so that the ledger never names a missing file.
    Its checksum is part of its name, so that searches of the same name, in other databases, do not
    write over each other's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    def save(self, weights: Weights, kind: str) -> Artifact:
        """Write weights as ``<kind>-<candidate>-<start of the checksum>.pt``.

        Raises:
            StoreError: the folder cannot be written.
        """
        digest = hashlib.sha256(weights.data).hexdigest()
        path = self.folder / f"{kind}-{weights.candidate_id}-{digest[:8]}.pt"
        partial = path.with_suffix(".partial")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                file.write(weights.data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except OSError as error:
            # On a full disk, an unfinished file takes space that is needed.
            with suppress(OSError):
                partial.unlink()
            raise StoreError(
                f"weights must be written under {str(self.folder)!r}, but: {error.strerror}; "
                "free some space or change to another folder, then resume the search"
            ) from error
        return Artifact(weights.candidate_id, kind, str(path), digest, len(weights.data))

    @staticmethod
    def remove(path: str) -> None:
        """Delete a file that the database no longer names; if that fails, it just stays."""
        with suppress(OSError):
            Path(path).unlink()

    @staticmethod
    def load(artifact: Artifact) -> Weights:
        """Read weights back.

        Raises:
            StoreError: the file is missing or is not what was written.
        """
        try:
            data = Path(artifact.path).read_bytes()
        except OSError as error:
            raise StoreError(
                f"the weights of candidate {artifact.candidate_id} must be at {artifact.path!r}, "
                f"but: {error.strerror}; bring the file back, or start the search anew"
            ) from error
        if hashlib.sha256(data).hexdigest() != artifact.sha256:
            raise StoreError(
                f"the weights of candidate {artifact.candidate_id} at {artifact.path!r} were "
                "changed since the search wrote them; bring the file back, or start anew"
            )
        return Weights(artifact.candidate_id, data)
