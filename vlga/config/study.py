"""The settings of a study: which networks are trained, and in which ways."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from vlga.config.base import Settings
from vlga.errors import ConfigError
from vlga.networks.training import AmplificationPlan

__all__ = ["ArmConfig", "StudyConfig"]


class ArmConfig(Settings):
    """One way to train in a study; what is not set has the default of `AmplificationPlan`."""

    amplify: Literal["off", "random", "intelligent", "own"] = Field(
        "off", description="own: as a searched network's genes say"
    )
    kind: Literal["batch_norm", "activation", "conv", "any"] | None = None
    factor: Annotated[float, Field(ge=1)] | None = None
    side: Literal["output", "input", "parameters"] | None = None
    window: list[float] | None = None
    ratio: Annotated[float, Field(gt=0, le=1)] | None = None
    redraw: Literal["once", "epoch", "step"] | None = None
    measure: Literal["G1", "G2"] | None = None
    threshold: Literal["mean", "mean_std"] | None = None
    threshold_k: float | None = None
    select: Literal["consistent", "fluctuating"] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        belongs = {
            "random": {"ratio", "redraw"},
            "intelligent": {"measure", "threshold", "threshold_k", "select"},
        }
        given = self.model_dump(exclude_none=True, exclude={"amplify"})
        for mode, names in belongs.items():
            for name in sorted(names & given.keys()):
                if self.amplify != mode:
                    raise ConfigError(
                        f"[study.arms] {name} belongs to amplify={mode!r}, but got "
                        f"{name}={given[name]!r} with amplify={self.amplify!r}; leave {name} out"
                    )
        if given and self.amplify in ("off", "own"):
            name = min(given)
            raise ConfigError(
                f"[study.arms] {name} needs amplify 'random' or 'intelligent', but got "
                f"{name}={given[name]!r} with amplify={self.amplify!r}"
            )
        if self.threshold_k is not None and self.threshold != "mean_std":
            raise ConfigError(
                "[study.arms] threshold_k belongs to threshold='mean_std', but got "
                f"threshold={self.threshold!r}"
            )
        window = self.window
        if window is not None and not (len(window) == 2 and 0 <= window[0] < window[1] <= 1):
            raise ConfigError(
                "[study.arms] window must be [first, last] with 0 <= first < last <= 1, "
                f"but got {window!r}"
            )
        return self

    def plan(self) -> AmplificationPlan | None:
        """Give the arm's amplification; None for ``off``, and for ``own``, the network's own."""
        if self.amplify not in ("random", "intelligent"):
            return None
        given = self.model_dump(exclude_none=True, exclude={"amplify", "window"})
        if self.window is not None:
            given["window"] = (self.window[0], self.window[1])
        if self.amplify == "intelligent":
            given = {"ratio": None, "measure": "G1", "threshold": "mean", **given}
        return AmplificationPlan(self.amplify, **given)


class StudyConfig(Settings):
    """Fixed networks to train in several ways: every network x learning rate x arm x seed."""

    networks: list[str] = Field([], description="named models, or SEARCH[:ID]")
    learning_rates: list[Annotated[float, Field(gt=0)]] = Field(
        [], description="if none is given: 0.1, or a searched network's own"
    )
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 5e-4
    # Every training of a study is planned before the first one starts.
    seeds: Annotated[int, Field(ge=1, le=100_000)] = Field(
        1, description="repetitions; arms are compared in pairs of equal seed"
    )
    arms: list[ArmConfig] = Field([ArmConfig()], min_length=1, description="ways to train")
    genomes: dict[str, dict[str, Any]] = Field(
        {}, description="genomes of the searched networks, filled in when a study starts"
    )
