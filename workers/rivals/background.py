"""A process of low priority that computes the rivals while a search runs."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile

import numpy as np

from vlga.config.fitness import FitnessName
from vlga.ports.rivals import Rivals
from workers.data import Dataset
from workers.rivals.compute import Sample, draw_sample

__all__ = ["BackgroundRivals"]

_log = logging.getLogger(__name__)


class BackgroundRivals:
    """The rivals on a data set, computed by another process from now on.

    It takes some seconds of one CPU, which trainings get first. The driver of a search neither
    waits for it nor holds the data set for it. That it fails is a warning, and no rivals.

    Args:
        dataset: the images; only few are kept.
        measure: as `rivals_on` takes it.
    """

    def __init__(self, dataset: Dataset, measure: FitnessName = "accuracy") -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._rivals: Rivals | None = None
        try:
            # A file without a name, gone with the process. A pipe would have to be waited for.
            with tempfile.TemporaryFile() as file:
                sample = draw_sample(dataset)
                arrays = {name: getattr(sample, name) for name in Sample.__slots__}
                np.savez(file, measure=np.array(measure), **arrays)
                file.seek(0)
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "workers.rivals"],
                    stdin=file,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                    # A signal to the search's process group, such as Ctrl-C, is the search's.
                    start_new_session=True,
                )
        except OSError as error:  # such as a full disk
            _log.warning("simple rivals cannot be computed: %s", error)

    def wait(self, seconds: float) -> Rivals | None:
        """Give the rivals as soon as they are there, or None after so many seconds, at least 0."""
        if self._process is None:
            return self._rivals
        try:
            output, _ = self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None
        if self._process.returncode == 0:
            values = json.loads(output)
            self._rivals = Rivals(**{**values, "image_shape": (*values["image_shape"],)})
        else:
            _log.warning("simple rivals were not computed: the process that does it has failed")
        self._process = None
        return self._rivals

    def close(self) -> None:
        """End the process; may be called twice."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
