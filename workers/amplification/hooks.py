"""Hooks that multiply and measure gradients, in eager and in compiled code.

How it is done was measured, with half of the batch norm layers of tests/benchmarks/amplification.py
amplified, batch 128, one CPU thread: multiplying by way of batch norm's weight takes 0.5 % of a
step, a tensor hook that multiplies the gradient at the output 1.2 %. A module's own backward hooks
take more and break a following ``ReLU(inplace=True)``. Multiplying the gradient in place would be
wrong: it would reach the other branch of a residual sum, which holds the same tensor.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.utils.hooks import RemovableHandle

__all__ = ["Hooks", "Switch"]

#: Keeps a function out of compiled code, which breaks in two around it.
_uncompiled: Callable[[Callable[..., Any]], Callable[..., Any]] = torch.compiler.disable


class Switch:
    """One layer's multiplier: a number for eager code, a tensor for compiled code.

    A number would be compiled in, so that each new one compiles again; a tensor is read. It is
    replaced, never written to: a backward pass still to come has its forward pass's multiplier.
    """

    def __init__(self, parameter: Tensor) -> None:
        dtype = torch.promote_types(parameter.dtype, torch.float32)
        self._factor = 1.0
        self._tensor = torch.ones((), dtype=dtype, device=parameter.device)

    def set(self, factor: float) -> None:
        """Take a factor for the forward passes to come."""
        self._factor = factor
        self._tensor = torch.full_like(self._tensor, factor)

    def multiply(self, gradient: Tensor) -> Tensor | None:
        """Multiply a parameter's gradient."""
        return None if self._factor == 1 else gradient * self._factor

    def at_output(self, _module: nn.Module, _args: Any, output: Tensor) -> Tensor | None:
        """Multiply the gradient that arrives at the output, as a forward hook."""
        if torch.compiler.is_compiling():
            # a clone, as an in-place activation may follow; the compiler makes it no copy
            return _scale_gradient(output, self._tensor).clone()
        if self._factor != 1 and output.requires_grad:
            factor = self._factor
            if not _multiply_in_backward(output.grad_fn, factor):
                _register(output, lambda gradient: gradient * factor)
        return None

    def at_input(self, _module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Multiply the gradient that leaves at the input, as a forward pre-hook."""
        if not torch.compiler.is_compiling() and self._factor == 1:
            return None
        return (_scale_gradient(args[0], self._tensor), *args[1:])


#: Backward functions of batch norm and convolution: their input's gradient is linear in the saved
#: weight, their parameters' gradients (after the input's) do not depend on it.
_WEIGHTED = {
    "ConvolutionBackward0",
    "CudnnBatchNormBackward0",
    "MiopenBatchNormBackward0",
    "NativeBatchNormBackward0",
}


def _multiply_in_backward(node: Any, factor: float) -> bool:
    """Multiply what a backward function gives by way of its weight, if it has one.

    That spares the pass over the gradient at the output, which is far larger than any weight.

    Returns:
        Whether it was done.
    """
    if node is None or node.name() not in _WEIGHTED:
        return False
    try:
        node._raw_saved_weight.register_hooks(_same, lambda weight: weight * factor)  # noqa: SLF001
    except RuntimeError:  # there is no weight, or others' hooks hold it (checkpointing)
        return False
    node.register_hook(
        lambda inputs, _outputs: (
            inputs[0],
            *(each if each is None else each * factor for each in inputs[1:]),
        )
    )
    return True


def _same(tensor: Tensor) -> Tensor:
    return tensor


class _ScaleGradient(Function):
    """The identity, whose backward pass multiplies."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, factor: Tensor) -> Tensor:
        ctx.save_for_backward(factor)
        return values.view_as(values)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (factor,) = ctx.saved_tensors
        return gradients[0] * factor, None


def _scale_gradient(values: Tensor, factor: Tensor) -> Tensor:
    scaled: Tensor = _ScaleGradient.apply(values, factor)
    return scaled


class Hooks:
    """Registers hooks that leave with the exit stack."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def on_gradient(self, parameter: Tensor, hook: Callable[[Tensor], Tensor | None]) -> None:
        """Call the hook with the parameter's gradient in each backward pass, to replace it."""
        self._stack.callback(_register(parameter, hook).remove)

    def on_output_gradient(self, layer: nn.Module, hook: Callable[[Tensor], None]) -> None:
        """Call the hook with the gradient at each of the layer's outputs."""

        def tap(_module: nn.Module, _args: Any, output: Tensor) -> None:
            if output.requires_grad:
                _register(output, hook)

        # compiled code could not add up in its backward pass
        self.after_forward(layer, _uncompiled(tap))

    def before_step(self, model: nn.Module, hook: Callable[[], None]) -> None:
        """Call the hook before each forward pass in training mode with gradients on."""

        def count(module: nn.Module, _args: Any) -> None:
            if module.training and torch.is_grad_enabled():
                hook()

        self.before_forward(model, _uncompiled(count))

    def before_forward(self, layer: nn.Module, hook: Callable[..., Any]) -> None:
        """Register a forward pre-hook."""
        self._stack.callback(layer.register_forward_pre_hook(_Hook(hook)).remove)
        self._announce(layer)

    def after_forward(self, layer: nn.Module, hook: Callable[..., Any]) -> None:
        """Register a forward hook."""
        self._stack.callback(layer.register_forward_hook(_Hook(hook)).remove)
        self._announce(layer)

    def _announce(self, layer: nn.Module) -> None:
        """Let compiled code know that the layer changed.

        It does not look for new hooks (`torch._dynamo.config.skip_nnmodule_hook_guards`), but for a
        `forward` of the module's own; its class's `forward` serves.
        """
        if "forward" not in vars(layer):
            vars(layer)["forward"] = layer.forward
            self._stack.callback(vars(layer).pop, "forward", None)


def _register(tensor: Any, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
    handle: RemovableHandle = tensor.register_hook(hook)
    return handle


class _Hook:
    """A hook that does nothing in a copy of its module, deep or pickled."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *args: Any) -> Any:
        return self._function(*args)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Hook, (_do_nothing,)


def _do_nothing(*_args: Any) -> None:
    pass
