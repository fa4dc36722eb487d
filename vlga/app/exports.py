"""A search's trained network, or its committee, as files that need no vlga."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from db.store import SqlStore
from vlga.app.model_card import model_card, title_of
from vlga.app.trained import TrainedNetwork, find_committee
from vlga.errors import ConfigError

if TYPE_CHECKING:
    from torch import nn

    from workers.inference.export import Exporter

__all__ = ["FORMATS", "as_module", "export"]

#: What each format needs beside torch.
FORMATS: dict[str, tuple[str, ...]] = {
    "source": (),
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "program": (),
}
_CARD = "README.md"


def export(store: SqlStore, name: str, folder: Path, formats: Sequence[str]) -> list[str]:
    """Write a network into a new or empty folder, in all formats or not at all.

    Files are written into a folder in it first, read back, compared with the trained network, and
    only then moved to their places.

    Args:
        store: where the search is.
        name: ``SEARCH``, ``SEARCH:ID`` or ``SEARCH:committee``, see `find_committee`.
        folder: made if it does not exist.
        formats: keys of `FORMATS`, at least one.

    Returns:
        The names of the files.

    Raises:
        SearchNotFound, NoIndividual, ConfigError, StoreError: as `find_committee`; the folder is
            not empty or cannot be written; a library is missing; the weights are no weights, or
            another network's.
        ExportError: a format is not possible for this network.
    """
    _require_libraries(formats)
    _require_empty(folder)
    networks = find_committee(store, name)
    exporter = _exporter(networks)
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=".vlga-", dir=folder))
        try:
            for kind in formats:
                exporter.write(kind, partial)
            card = model_card(networks, formats, mirrored=exporter.is_mirrored)
            (partial / _CARD).write_text(card, encoding="utf-8")
            names = sorted(file.name for file in partial.iterdir())
            for one in names:
                (partial / one).replace(folder / one)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
            if is_new:
                with suppress(OSError):  # there is something in it, as there should be
                    folder.rmdir()
    except OSError as error:
        raise ConfigError(
            f"--to must be a folder that can be written, but {str(folder)!r} cannot: "
            f"{error.strerror or error}"
        ) from error
    return names


def as_module(store: SqlStore, name: str) -> nn.Module:
    """Give a trained network as plain PyTorch, as it is exported, with its normalization in it.

    Args:
        store: where the search is.
        name: ``SEARCH``, ``SEARCH:ID`` or ``SEARCH:committee``, see
            `find_committee`, whose errors it raises.
    """
    return _exporter(find_committee(store, name)).network


def _exporter(networks: Sequence[TrainedNetwork]) -> Exporter:
    from workers.inference.export import Exporter
    from workers.networks.committee import trained_network

    members = []
    for one in networks:
        with one.must_fit():
            members.append((one.plan, *trained_network(one.plan, one.weights)))
    return Exporter(members, networks[0].data.classes, f"{title_of(networks)}.")


def _require_libraries(formats: Sequence[str]) -> None:
    for kind in formats:
        needed = FORMATS[kind]
        missing = [one for one in needed if importlib.util.find_spec(one) is None]
        if missing:
            raise ConfigError(
                f"--format {kind} must have {', '.join(needed)}, but {missing[0]} is not "
                f"installed; run: pip install {' '.join(needed)}"
            )


def _require_empty(folder: Path) -> None:
    try:
        first = next(folder.iterdir(), None)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(
            f"--to must be a folder, but {str(folder)!r} is none: {error.strerror}"
        ) from error
    if first is not None:
        raise ConfigError(
            f"--to must be a new or an empty folder, but {str(folder)!r} has {first.name!r}; "
            "choose another one"
        )
