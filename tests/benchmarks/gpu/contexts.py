"""What idle workers hold of a machine's cards, and what that leaves to the winner's training.

    python -m tests.benchmarks.gpu.contexts --data-dir DIR

Minutes: about 3, best on a machine with two cards. Not measured yet: no such machine was at hand.
Two suspicions are to be seen or dispelled.

- A process sees all cards and trains on whichever Ray reserves next, so it may end with a context
  (about 0.8 GiB) on each. ``processes`` are those that hold memory of a card when the small
  trainings have ended. Sound is one card a process: at most as many processes a card as trainings
  ran there at a time.
- The winner's training reserves a whole card, but the workers of the search stay, with context and
  images. ``beside the final training`` is what others than the process that takes most hold of that
  card at most during that training. Sound is less than what `workers.cluster.gpu_shares` leaves
  unused.
"""

from __future__ import annotations

import subprocess
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

from tests.benchmarks.gpu.occasion import Occasion, arguments
from tests.benchmarks.gpu.packing import tasks_of
from tests.support.trainings import drain
from workers.evaluators.on_ray import RayEvaluator

#: By card, the MiB that each process holds.
Contexts = dict[str, dict[str, int]]

_ASK = (
    "nvidia-smi",
    "--query-compute-apps=gpu_uuid,pid,used_memory",
    "--format=csv,noheader,nounits",
)
#: Some seconds on a card: long enough to be looked at several times.
_FINAL_EPOCHS, _SMALL_FINAL_EPOCHS = 30, 1


def main(words: Sequence[str] | None = None) -> None:
    """Run small trainings side by side, then one that has a card to itself."""
    parser = arguments(__doc__, minutes=3)
    parser.add_argument("--evaluations", type=int, default=96)
    options = parser.parse_args(words)
    now = Occasion.begin("contexts", options, words, "those of the networks, from 0")
    dataset = now.images("cifar10")
    tasks = tasks_of(now, dataset, 4 if now.is_small else options.evaluations)
    with closing(
        RayEvaluator(
            dataset,
            n_workers=2 if now.is_small else None,
            gpus_per_evaluation=0.0 if now.is_small else "auto",
        )
    ) as evaluator:
        for one in tasks:
            evaluator.submit(one)
        outcomes = drain(evaluator)
        now.say(f"{len(outcomes)} trained, {sum(not one.completed for one in outcomes)} failed")
        for card, held in _contexts().items():
            now.say(f"{card}: {len(held)} processes, MiB {sorted(held.values())}")
        n_epochs = _SMALL_FINAL_EPOCHS if now.is_small else _FINAL_EPOCHS
        training = tasks[0].training.model_copy(update={"epochs": n_epochs})
        evaluator.submit(replace(tasks[0], training=training, is_final=True))
        samples = [_contexts()]
        while not evaluator.wait(1.0) and now.seconds_left:
            samples.append(_contexts())
    now.say(f"beside the final training: {max(map(_others_mib, samples))} MiB")


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
