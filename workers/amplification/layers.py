"""Which layers of a model may be amplified, told by their type."""

from __future__ import annotations

from torch import nn

__all__ = ["KINDS", "eligible_layers"]

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
_ACTIVATIONS = (
    nn.CELU,
    nn.ELU,
    nn.GELU,
    nn.Hardsigmoid,
    nn.Hardswish,
    nn.Hardtanh,  # and ReLU6, which is one
    nn.LeakyReLU,
    nn.LogSigmoid,
    nn.Mish,
    nn.PReLU,
    nn.RReLU,
    nn.ReLU,
    nn.SELU,
    nn.SiLU,
    nn.Sigmoid,
    nn.Softplus,
    nn.Softsign,
    nn.Tanh,
)
_CONVS = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)

#: Module types by kind of layer; subclasses count.
KINDS: dict[str, tuple[type[nn.Module], ...]] = {
    "batch_norm": _BATCH_NORMS,
    "activation": _ACTIVATIONS,
    "conv": _CONVS,
    "any": (*_BATCH_NORMS, *_ACTIVATIONS, *_CONVS),
}


def eligible_layers(model: nn.Module, kind: str) -> dict[str, nn.Module]:
    """Give the layers that may be amplified, by name, in the order of the model's definition.

    A module used at several places is one layer, under its first name. Functions that are called
    without a module (``F.relu``) are no layers.

    Args:
        model: any; one from ``torch.compile`` counts as the model inside it.
        kind: ``batch_norm | activation | conv | any``.
    """
    model = getattr(model, "_orig_mod", model)
    return {
        name: module for name, module in model.named_modules() if isinstance(module, KINDS[kind])
    }
