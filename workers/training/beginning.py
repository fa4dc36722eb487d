"""A task's network as its training begins."""

from __future__ import annotations

from torch import nn

from vlga.networks.named import ModelPlan
from vlga.ports.evaluator import EvaluationTask
from workers.networks.build import Network, Stem, build
from workers.networks.weights import inherit_weights, unpack_weights
from workers.training.augmentation import resolve_augmentation
from workers.training.resident import ResidentData

__all__ = ["begin", "looks_at_mirror_images", "whiten"]


def begin(task: EvaluationTask) -> nn.Module:
    """Build a task's network and let it inherit what it shares."""
    network = build(task.plan, task.seed, dirac=task.training.initialization == "dirac")
    if task.weights is None:
        return network
    if isinstance(task.plan, ModelPlan):  # whose weights are of the same model
        network.load_state_dict(unpack_weights(task.weights.data))
    else:
        inherit_weights(network, task.weights.data, task.inherited_layers)
    return network


def whiten(network: nn.Module, data: ResidentData) -> None:
    """Give a network's stem, if it has one, its filters: those of the training images."""
    if isinstance(network, Network) and isinstance(network.stem, Stem):
        network.stem.conv.weight.copy_(data.filters(network.stem.plan))


def looks_at_mirror_images(task: EvaluationTask, *, may_mirror: bool) -> bool:
    """Tell whether a task's network is to, which it must have been trained on."""
    trained_on = resolve_augmentation(task.training.augment, may_mirror=may_mirror)
    return task.average_mirrored and trained_on == "crop_flip"
