"""What all tables of settings have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Count", "Fraction", "Settings"]

Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Settings(BaseModel):
    """A table of settings: unknown keys refused, values fixed, no silent conversion of types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
