"""How much memory a training takes, told from its plan before anything is built.

Counted is what torch holds at the peak of a step, which is at the beginning of its backward pass:
weights, their gradients and momentum; every map that the backward pass needs; and the maps and
gradients that only pass. On a CPU that is within a factor of about two of what was measured, more
often too little than too much (tests/workers/training/test_footprint.py): how well the C library
fills its heap differs from plan to plan. On a GPU, with maps in bfloat16, ResNet-18 and VGG-19 take
0.93 and 1.06 times what is predicted, and a small network with a very large batch 0.66 times
(tests/benchmarks/results/packing.txt).
"""

from __future__ import annotations

from math import ceil

from vlga.networks.layers import BlockPlan, ConvPlan, Shape
from vlga.networks.named import MODELS, Chain, ModelPlan
from vlga.networks.phenotype import Plan
from vlga.ports.data import DataSummary
from vlga.ports.evaluation import Evaluation, FailureReason
from vlga.ports.evaluator import EvaluationTask

__all__ = ["CONTEXT_BYTES", "PROCESS_BYTES", "SCORED_AT_ONCE", "refusal", "training_bytes"]

#: Images that go through the network at once to be scored.
SCORED_AT_ONCE = 512
#: What a worker's process holds beside its training: torch and its kernels.
PROCESS_BYTES = 256 * 2**20
#: What a process takes of a GPU beside its training: the context, the kernels that it loads, and
#: the workspace that cuBLAS keeps. 836 MiB were measured on an H100.
CONTEXT_BYTES = 896 * 2**20
#: Bytes of a weight with its gradient and momentum; on a GPU with its copy in bfloat16.
_PER_WEIGHT, _PER_WEIGHT_IN_HALF = 12, 14
#: Bytes of a value in a map: float32, or bfloat16 on a GPU that has it. Where a maximum came from
#: is an int64.
_PER_VALUE, _PER_VALUE_IN_HALF, _PER_INDEX = 4, 2, 8
#: What the amplifier's measure adds to a weight: two sums.
_PER_MEASURED_WEIGHT = 8


def training_bytes(
    plan: Plan,
    batch_size: int,
    *,
    n_scored: int = SCORED_AT_ONCE,
    on_gpu: bool = False,
    has_bfloat16: bool = True,
    micro_batches: int = 1,
) -> int:
    """Predict the most memory that a training and its scoring take at a time, in bytes.

    The images that it is trained on and `PROCESS_BYTES` come on top.

    Args:
        plan: of the network.
        batch_size: images a step.
        n_scored: images that it is scored on.
        on_gpu: whether it is on a GPU.
        has_bfloat16: whether maps are in it there.
        micro_batches: parts in which a batch goes through the network.
    """
    is_half = on_gpu and has_bfloat16
    per_value = _PER_VALUE_IN_HALF if is_half else _PER_VALUE
    per_weight = _PER_WEIGHT_IN_HALF if is_half else _PER_WEIGHT
    amplification = plan.amplification
    if amplification and amplification.mode == "intelligent" and amplification.kind != "activation":
        per_weight += _PER_MEASURED_WEIGHT
    kept, passing, n_indices = _maps(plan)
    at_once = ceil(batch_size / micro_batches)
    trained = at_once * (per_value * (kept + passing) + _PER_INDEX * n_indices)
    scored = min(n_scored, SCORED_AT_ONCE // micro_batches) * per_value * passing
    # The C library cannot make larger blocks of the smaller ones that a training has freed.
    return per_weight * plan.n_parameters + (max(trained, scored) if on_gpu else trained + scored)


def refusal(
    task: EvaluationTask,
    memory_bytes: int | None,
    data: DataSummary,
    *,
    on_gpu: bool = False,
    has_bfloat16: bool = True,
    holds_images: bool = True,
) -> Evaluation | None:
    """Give the outcome of a task that cannot fit the memory, even with halves of each batch.

    Args:
        task: to train.
        memory_bytes: that one evaluation has, or None if that is not known.
        data: the images.
        on_gpu: whether it is a GPU's memory.
        has_bfloat16: whether that GPU computes in it.
        holds_images: whether the images are in it as well.

    Returns:
        A failed evaluation, or None if there is room.
    """
    if memory_bytes is None:
        return None
    n_trained = data.n_train + data.n_validation * task.is_final
    batch_size = min(task.training.batch_size, n_trained)
    needed = (CONTEXT_BYTES if on_gpu else PROCESS_BYTES) + data.n_bytes * holds_images
    needed += training_bytes(
        task.plan,
        batch_size,
        n_scored=data.n_test if task.is_final else data.n_validation,
        on_gpu=on_gpu,
        has_bfloat16=has_bfloat16,
        micro_batches=2,
    )
    if needed <= memory_bytes:
        return None
    return task.failed(
        FailureReason.OUT_OF_MEMORY,
        f"not tried: needs about {_gib(needed)} with halves of a batch of {batch_size}, but an "
        f"evaluation has {_gib(memory_bytes)}; set limits.max_activation_bytes or limits.max_macs, "
        "or run fewer evaluations at a time",
    )


def _maps(plan: Plan) -> tuple[int, int, int]:
    """Give values of the maps that one image's step keeps, of those that pass, and kept indices."""
    if isinstance(plan, ModelPlan):
        return _maps_of_model(plan)
    kept, passing, n_indices = _n(plan.input_shape), 0, 0
    if plan.stem is not None:
        n_stem = _n(plan.stem.output_shape)
        kept, passing = kept + n_stem * (1 + _keeps_input(plan.activation)), 2 * n_stem
    for block in plan.blocks:
        for conv in block.convs:
            kept += _kept(conv, plan.activation)
            # at the convolution, on both sides of the activation, and at the block's end
            own = _n(conv.conv_shape) + 2 * _n(conv.output_shape)
            passing = max(passing, own + _n(block.output_shape) * block.skip)
            n_indices += _n(conv.output_shape) * (conv.pool == "max")
        kept += _kept_by_skip(block)
    return kept, passing, n_indices


def _maps_of_model(plan: ModelPlan) -> tuple[int, int, int]:
    """Do the same for a named network, whose ReLU works in place."""
    model, sizes = MODELS[plan.model], plan.map_sizes
    # each convolution's output if batch normalization follows, and that of the activation
    n_kept = 1 if isinstance(model, Chain) and not model.batch_norm else 2
    n_passing = 2 if isinstance(model, Chain) else 4
    return _n(plan.input_shape) + n_kept * sum(sizes), n_passing * max(sizes), 0


def _kept(conv: ConvPlan, activation: str) -> int:
    """Count what pool, batch normalization and activation keep: their inputs, and the output.

    Of ReLU and tanh the backward pass needs the output alone, which the next layer keeps anyway.
    """
    after = _n(conv.output_shape)
    inputs = [_n(conv.conv_shape)] if conv.pool else []
    inputs += [after] if conv.batch_norm else []
    inputs += [after] if _keeps_input(activation) else []
    return sum(inputs) + after


def _keeps_input(activation: str) -> bool:
    return activation not in ("relu", "tanh")


def _kept_by_skip(block: BlockPlan) -> int:
    """Count the sum, and the copy of every other pixel that a skip connection begins with."""
    if not block.skip:
        return 0
    return _n(block.output_shape) + (_n(block.input_shape) // 4 if block.pools else 0)


def _n(shape: Shape) -> int:
    return shape[0] * shape[1] * shape[2]


def _gib(n_bytes: int) -> str:
    return f"{n_bytes / 2**30:.1f} GiB"
