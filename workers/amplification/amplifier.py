"""The amplifier: hooks that multiply and measure gradients, on a model for one epoch at a time.

The gradient that arrives at the output of an amplified layer is multiplied by the factor. The
backward pass is linear in it, so the layer's parameter gradients and everything upstream are
multiplied too: k amplified layers on one path make factor**k. Identity paths of a residual block
stay as they are, and so does weight decay, which is no part of the backward pass.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count

import torch
from torch import nn

from vlga.errors import ConfigError
from vlga.networks.training import AmplificationPlan
from workers.amplification.choice import check_plan, choose_by_measure, draw, window_epochs
from workers.amplification.hooks import Hooks, Switch
from workers.amplification.layers import KINDS, eligible_layers
from workers.amplification.measure import GradientMeter

__all__ = ["Amplifier"]


class Amplifier:
    """Amplifies gradients in a training loop of your own, which it leaves as it is.

        amplifier = Amplifier(model, AmplificationPlan(mode="random"), n_epochs=30, seed=0)
        for epoch in range(30):
            with amplifier.epoch(epoch) as amplified:  # names of the amplified layers
                train_one_epoch(model)

    Works with any module, also under autocast and ``torch.compile`` (compiled before or after; the
    code is compiled once for epochs with amplification and once for those without). A layer in eval
    mode is amplified like any other; a forward pass without gradients is left alone. Outside the
    with-block the model carries no hook, however the block was left, and a copy of the model made
    inside it is not amplified.

    Mode ``intelligent`` measures in the epoch before the window and inside it. It sees the
    gradients of the training, amplified or not. Within an epoch the factors are constant and a
    constant multiplier leaves the measure as it is; so the measure is exactly that of the plain
    gradients wherever all paths from the loss to the layer cross the same amplified layers: in any
    chain, and with ``side="parameters"`` in any network. Where the paths of a residual network
    cross different ones it is the measure of the gradient trained with, in which the amplified
    paths weigh more.

    With ``redraw="step"`` a step is a forward pass of the model in training mode with gradients on.

    A step may add up the gradients of several micro-batches: say how many. Multiplying them is
    multiplying their sum, and measured is the sum.

    Attributes:
        measures: G in [0, 1] by layer, from the last measured epoch; empty before it. All that
            goes from one epoch to the next: keep it with a checkpoint and put it back to resume.

    Args:
        model: any; its parameters may move between devices from epoch to epoch.
        plan: what to amplify, or None for never.
        n_epochs: of the whole training, which the plan's window is a fraction of.
        seed: of the training; decides the random draws.
        epochs: those with amplification on, from 0, instead of those in the plan's window.
        micro_batches: forward and backward passes of a step.

    Raises:
        ConfigError: a setting is unknown or out of range; the model has no layer of the kind.
    """

    def __init__(
        self,
        model: nn.Module,
        plan: AmplificationPlan | None,
        *,
        n_epochs: int,
        seed: int,
        epochs: Collection[int] | None = None,
        micro_batches: int = 1,
    ) -> None:
        if n_epochs < 1:
            raise ConfigError(f"n_epochs must be at least 1, but got n_epochs={n_epochs!r}")
        self.measures: dict[str, float] = {}
        self._model = model
        self._plan = plan
        self._n_epochs = n_epochs
        self._seed = seed
        self._micro_batches = micro_batches
        self._layers: dict[str, nn.Module] = {}
        self._epochs: Collection[int] = epochs or ()
        if plan is not None:
            check_plan(plan)
            if epochs is None:
                self._epochs = window_epochs(plan.window, n_epochs)
            self._layers = eligible_layers(model, plan.kind)
            if not self._layers:
                raise ConfigError(
                    f"[amplification] kind must name layers that the model has as modules, but "
                    f"{type(model).__name__} has none of kind={plan.kind!r}; "
                    f"kinds: {', '.join(KINDS)}"
                )

    def is_on(self, epoch: int) -> bool:
        """Say whether gradients are amplified in the epoch, from 0."""
        return self._plan is not None and epoch in self._epochs

    @contextmanager
    def epoch(self, epoch: int) -> Iterator[tuple[str, ...]]:
        """Amplify, and measure if the next epoch needs it, as long as the with-block runs.

        An exception in the block leaves the measures as they were.

        Args:
            epoch: from 0, below `n_epochs`.

        Yields:
            The names of the layers amplified; with ``redraw="step"``, of those in the first step.

        Raises:
            ConfigError: the epoch is out of range.
        """
        if not 0 <= epoch < self._n_epochs:
            raise ConfigError(
                f"epoch must be from 0 to n_epochs - 1 = {self._n_epochs - 1}, "
                f"but got epoch={epoch!r}"
            )
        plan, chosen = self._plan, self._choose(epoch)
        meter = GradientMeter(self._micro_batches)
        measuring = plan is not None and plan.mode == "intelligent" and self.is_on(epoch + 1)
        with ExitStack() as stack:
            hooks = Hooks(stack)
            if measuring:
                self._measure(hooks, meter)
            if plan is not None and self.is_on(epoch):
                self._amplify(hooks, plan, chosen, epoch)
            yield chosen
        if plan is not None and measuring:
            measured = meter.measures(str(plan.measure))
            # in the model's order, not in that of the backward pass
            self.measures = {name: measured[name] for name in self._layers if name in measured}

    def _choose(self, epoch: int, step: int = 0) -> tuple[str, ...]:
        plan = self._plan
        if plan is None or not self.is_on(epoch):
            return ()
        if plan.mode == "intelligent":
            return choose_by_measure(self.measures, plan)
        assert plan.ratio is not None, "check_plan lets no random plan without a ratio pass"
        return draw(
            tuple(self._layers),
            plan.ratio,
            seed=self._seed,
            epoch=0 if plan.redraw == "once" else epoch,
            step=step if plan.redraw == "step" else None,
        )

    def _amplify(
        self, hooks: Hooks, plan: AmplificationPlan, chosen: Sequence[str], epoch: int
    ) -> None:
        """Hook every eligible layer, also those not chosen: a new choice then compiles nothing."""
        parameter = next(self._model.parameters(), torch.empty(0))
        switches = {name: Switch(parameter) for name in self._layers}

        def set_factors(chosen: Sequence[str]) -> None:
            for name, switch in switches.items():
                switch.set(plan.factor if name in chosen else 1.0)

        set_factors(chosen)
        if plan.mode == "random" and plan.redraw == "step":
            passes = count()

            def draw_anew() -> None:
                set_factors(self._choose(epoch, next(passes) // self._micro_batches))

            hooks.before_step(self._model, draw_anew)
        for name, layer in self._layers.items():
            trained = _trained(layer)
            if plan.side == "parameters":
                for each in trained:
                    hooks.on_gradient(each, switches[name].multiply)
            elif plan.side == "input" and trained:
                hooks.before_forward(layer, switches[name].at_input)
            else:  # without parameters, what leaves at the input is the same from either side
                hooks.after_forward(layer, switches[name].at_output)

    def _measure(self, hooks: Hooks, meter: GradientMeter) -> None:
        """Feed the meter: parameter gradients, or those at the output of a layer without any."""
        for name, layer in self._layers.items():
            trained = _trained(layer)
            for index, parameter in enumerate(trained):
                hooks.on_gradient(parameter, partial(meter.add, name, index))
            if not trained:
                hooks.on_output_gradient(layer, partial(meter.add_output, name))


def _trained(layer: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in layer.parameters() if parameter.requires_grad]
