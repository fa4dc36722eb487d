"""Files that a search leaves behind: trained weights, in a folder, named in the ledger."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from vlga.errors import StoreError
from vlga.ports.evaluator import Weights
from vlga.ports.ledger import Artifact

__all__ = ["ArtifactFolder"]


class ArtifactFolder:
    """One search's folder of weight files, made when the first is written.

    A file appears whole or not at all: it is written beside its place, flushed to the disk, and
    moved. It is written before the ledger names it, so that the ledger never names a missing file,
    and named by a path relative to the root, so that root and ledger can be moved together.

    Args:
        root: of all files of the ledger; other searches' files are read there, too.
        search: whose folder in it this is.
    """

    def __init__(self, root: Path, search: str) -> None:
        self.root = root.absolute()
        self.search = search

    def save(self, weights: Weights, kind: str) -> Artifact:
        """Write weights as ``<kind>-<candidate>-<start of the checksum>.pt``.

        Raises:
            StoreError: the folder cannot be written.
        """
        digest = hashlib.sha256(weights.data).hexdigest()
        name = f"{self.search}/{kind}-{weights.candidate_id}-{digest[:8]}.pt"
        path = self.root / name
        partial = path.with_suffix(".partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
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
                f"weights must be written under {str(path.parent)!r}, but: {error.strerror}; "
                "free some space or make the folder writable, then resume the search"
            ) from error
        return Artifact(weights.candidate_id, kind, name, digest, len(weights.data))

    def remove(self, path: str) -> None:
        """Delete a file that the database no longer names; if that fails, it just stays."""
        with suppress(OSError):
            (self.root / path).unlink()

    def load(self, artifact: Artifact) -> Weights:
        """Read weights back.

        Raises:
            StoreError: the file is missing or is not what was written.
        """
        path = self.root / artifact.path
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StoreError(
                f"the weights of candidate {artifact.candidate_id} must be at {str(path)!r}, "
                f"but: {error.strerror}; bring the file back, or start the search anew"
            ) from error
        if hashlib.sha256(data).hexdigest() != artifact.sha256:
            raise StoreError(
                f"the weights of candidate {artifact.candidate_id} at {str(path)!r} were "
                "changed since the search wrote them; bring the file back, or start anew"
            )
        return Weights(artifact.candidate_id, data)
