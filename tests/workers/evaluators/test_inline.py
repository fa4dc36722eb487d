"""What only the evaluator without Ray has to care for: it is the process that it trains in."""

import resource
from contextlib import closing
from dataclasses import replace

from tests.support.trainings import SHAPE, dataset, drain, plan, task
from vlga.ports.evaluation import FailureReason
from workers.evaluators import inline
from workers.machine import machine_memory_bytes
from workers.training import memory


def test_a_training_that_needs_more_memory_than_was_predicted_fails_alone(monkeypatch):
    """With more than is free it runs out of memory itself, and the next one is trained."""
    limit = resource.getrlimit(resource.RLIMIT_DATA)
    (block,) = plan().blocks
    first, second = (replace(one, kernel=1, pool=None, channels=2**13) for one in block.convs)
    second = replace(second, input_shape=(2**13, *SHAPE[1:]))  # a kernel of 256 MiB
    wide = replace(plan(), blocks=(replace(block, convs=(first, second), skip=False),))
    monkeypatch.setattr(inline, "refusal", lambda *_args, **_rest: None)
    with closing(inline.InlineEvaluator(dataset())) as evaluator:
        with monkeypatch.context() as patch:
            free = machine_memory_bytes() // memory._RESERVED + 2**24
            patch.setattr(memory, "available_memory_bytes", lambda: free)
            evaluator.submit(task(0, wide))
            (failed,) = drain(evaluator)
        evaluator.submit(task(1))
        (trained,) = drain(evaluator)

    assert failed.reason is FailureReason.OUT_OF_MEMORY
    assert "can't allocate memory" in failed.message
    assert (trained.completed, trained.message) == (True, "")
    assert resource.getrlimit(resource.RLIMIT_DATA) == limit
