"""Files for TensorBoard: each network is a run, with its curve and its hyperparameters.

By tensorboardX, which Ray Tune brings: torch's own writer needs torch here, and TensorBoard's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tensorboardX import SummaryWriter
from tensorboardX.summary import hparams

from vlga.app.tracking.runs import TrackedRun, points

__all__ = ["tensorboard_writer"]


def tensorboard_writer(folder: Path, search: str) -> Callable[[TrackedRun], None]:
    """Give a function that writes a training as ``FOLDER/SEARCH/NAME``.

    Args:
        folder: made if it does not exist.
        search: its name.
    """

    def write(run: TrackedRun) -> None:
        with SummaryWriter(str(folder / search / run.name)) as writer:
            for name, epoch, value in points(run):
                writer.add_scalar(name, value, epoch)
            if run.problem:
                writer.add_text("problem", run.problem)
            for name, score in run.scores.items():
                writer.add_scalar(name, score)
            # Not by `add_hparams`, which would write them as another run.
            for about in hparams(dict(run.hyperparameters), dict(run.scores)):
                writer.file_writer.add_summary(about)

    return write
