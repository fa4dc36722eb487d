"""Stochastic gradient descent for one training."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.optim.sgd import sgd

from vlga.networks.training import OptimizerPlan

__all__ = ["SGD"]


@dataclass(slots=True)
class _Group:
    """Parameters that share weight decay and the multiple of the schedule's learning rate."""

    parameters: list[Tensor]
    weight_decay: float = 0.0
    rate: float = 1.0
    momenta: list[Tensor | None] = field(init=False)  # made by the first step

    def __post_init__(self) -> None:
        self.momenta = [None] * len(self.parameters)


class SGD:
    """SGD with Nesterov momentum; weight decay only on weights of more than one dimension.

    The steps are those of `torch.optim.SGD`, by its own function. The first use of that class loads
    torch's compiler, which takes two seconds in each process that trains.

    Args:
        network: of which all parameters that require gradients are trained, in place.
        plan: momentum and weight decay; its learning rate is not used here.
        norm_bias_rate: multiple of the learning rate for the shifts of batch normalization.
    """

    def __init__(self, network: nn.Module, plan: OptimizerPlan, norm_bias_rate: float) -> None:
        parameters = [one for one in network.parameters() if one.requires_grad]
        shifts = {id(one.bias) for one in network.modules() if isinstance(one, nn.BatchNorm2d)}
        groups = (
            _Group([one for one in parameters if one.ndim > 1], weight_decay=plan.weight_decay),
            _Group([one for one in parameters if one.ndim <= 1 and id(one) not in shifts]),
            _Group([one for one in parameters if id(one) in shifts], rate=norm_bias_rate),
        )
        self._groups = [group for group in groups if group.parameters]
        self._momentum = plan.momentum

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Change the parameters by their gradients, which each must have, and forget these."""
        for group in self._groups:
            sgd(
                group.parameters,
                [one.grad for one in group.parameters if one.grad is not None],
                group.momenta,
                fused=True,
                weight_decay=group.weight_decay,
                momentum=self._momentum,
                lr=learning_rate * group.rate,
                dampening=0.0,
                nesterov=self._momentum > 0,
                maximize=False,
            )
            for one in group.parameters:
                one.grad = None
