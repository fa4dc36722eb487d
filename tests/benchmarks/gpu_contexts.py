"""What idle workers hold of a machine's cards, and what that leaves to the winner's training.

``python -m tests.benchmarks.gpu_contexts [--evaluations N]``, best on a machine with two cards.

Not measured yet: no machine with GPUs was at hand. Two suspicions are to be seen or dispelled.

- A process sees all cards and trains on whichever Ray reserves next, so it may end with a context
  (about 0.8 GiB) on each. ``contexts`` has, for each card, the processes that hold memory there and
  that memory in MiB. Sound is one card a process: at most as many processes a card as trainings ran
  there at a time.
- The winner's training reserves a whole card, but the workers of the search stay, with context and
  images. ``final_others_mib`` is what others than the process that takes most hold of that card at
  the peak of that training. Sound is less than what `workers.cluster.gpu_shares` leaves unused.

`--cpu` runs the same on CPUs, to try the program.
"""

from __future__ import annotations

import argparse
import subprocess
from collections import defaultdict
from dataclasses import replace

import torch

from tests.benchmarks.packing import tasks_of
from tests.benchmarks.timing import report
from tests.support.trainings import drain
from vlga.config.settings import DataConfig
from workers.data import load_dataset
from workers.evaluators.on_ray import RayEvaluator

#: By card, the MiB that each process holds.
Contexts = dict[str, dict[str, int]]

_ASK = (
    "nvidia-smi",
    "--query-compute-apps=gpu_uuid,pid,used_memory",
    "--format=csv,noheader,nounits",
)
#: Some seconds on a card: long enough to be looked at several times.
_FINAL_EPOCHS = 100


def main() -> None:
    """Run small trainings side by side, then one that has a card to itself."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--evaluations", type=int, default=96)
    parser.add_argument("--cpu", action="store_true")
    options = parser.parse_args()
    dataset = load_dataset(DataConfig())
    tasks = tasks_of(dataset, options.evaluations)
    evaluator = RayEvaluator(dataset, gpus_per_evaluation=0.0 if options.cpu else "auto")
    try:
        for one in tasks:
            evaluator.submit(one)
        outcomes = drain(evaluator)
        contexts = _contexts()
        training = tasks[0].training.model_copy(
            update={"epochs": 3 if options.cpu else _FINAL_EPOCHS}
        )
        evaluator.submit(replace(tasks[0], training=training, is_final=True))
        samples = [_contexts()]
        while not evaluator.wait(1.0):
            samples.append(_contexts())
    finally:
        evaluator.close()
    report(
        benchmark="gpu_contexts",
        evaluations=options.evaluations,
        failed=sum(not one.completed for one in outcomes),
        n_gpus=torch.cuda.device_count(),
        gpu=torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        contexts=contexts,
        final_others_mib=max(map(_others_mib, samples)),
    )


def _contexts() -> Contexts:
    """Give which process holds how much of which card, as the driver's tool tells it."""
    found: Contexts = defaultdict(dict)
    try:
        told = subprocess.run(_ASK, capture_output=True, text=True, check=True).stdout
    except OSError:
        return {}
    for line in told.splitlines():
        card, process, mebibytes = line.split(", ")
        found[card][process] = int(mebibytes) if mebibytes.isdecimal() else 0
    return dict(found)


def _others_mib(contexts: Contexts) -> int:
    """Give what others hold of the card of which one process holds most."""
    cards = [sorted(processes.values()) for processes in contexts.values() if processes]
    return sum(max(cards, key=lambda held: held[-1])[:-1]) if cards else 0


if __name__ == "__main__":
    main()
