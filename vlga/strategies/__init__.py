"""Strategies: what a search tries next, on one ask/tell interface."""

from vlga.config.settings import SearchConfig
from vlga.networks.layers import Shape
from vlga.strategies.base import Strategy
from vlga.strategies.fixed_length import FixedLength
from vlga.strategies.grid import Grid
from vlga.strategies.hand_made import HandMade
from vlga.strategies.ladder import Ladder
from vlga.strategies.large_scale_evolution import LargeScaleEvolution
from vlga.strategies.one_epoch_then_best import OneEpochThenBest
from vlga.strategies.optuna_tpe import OptunaTpe, OptunaTpeAsha
from vlga.strategies.random_search import RandomSearch
from vlga.strategies.regularized_evolution import RegularizedEvolution
from vlga.strategies.steady_base import SteadyState
from vlga.strategies.steady_state import SteadyStateEvolution
from vlga.strategies.tpe import require_optuna
from vlga.strategies.variable_length import VariableLength

__all__ = [
    "STRATEGIES",
    "FixedLength",
    "Grid",
    "HandMade",
    "Ladder",
    "LargeScaleEvolution",
    "OneEpochThenBest",
    "OptunaTpe",
    "OptunaTpeAsha",
    "RandomSearch",
    "RegularizedEvolution",
    "SteadyState",
    "SteadyStateEvolution",
    "Strategy",
    "VariableLength",
    "make_strategy",
    "require_installed",
]

STRATEGIES: dict[str, type[Strategy]] = {
    "fixed_length": FixedLength,
    "grid": Grid,
    "hand_made": HandMade,
    "ladder": Ladder,
    "large_scale_evolution": LargeScaleEvolution,
    "one_epoch_then_best": OneEpochThenBest,
    "optuna_tpe": OptunaTpe,
    "optuna_tpe_asha": OptunaTpeAsha,
    "random_search": RandomSearch,
    "regularized_evolution": RegularizedEvolution,
    "steady_state": SteadyStateEvolution,
    "variable_length": VariableLength,
}


def require_installed(name: str) -> None:
    """Refuse a strategy whose packages are not installed; only those of Optuna need any.

    Raises:
        ConfigError: they are not.
    """
    if issubclass(STRATEGIES[name], OptunaTpe):
        require_optuna()


def make_strategy(config: SearchConfig, input_shape: Shape, n_classes: int) -> Strategy:
    """Give the strategy that a configuration names, for images of this shape."""
    return STRATEGIES[config.strategy].from_config(config, input_shape, n_classes)
