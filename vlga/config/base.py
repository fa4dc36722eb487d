"""What all tables of settings have in common."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Count", "Fraction", "Settings", "or_auto"]

Fraction = Annotated[float, Field(ge=0, le=1)]
#: As many as a column of a database can hold.
Count = Annotated[int, Field(ge=1, lt=2**31)]


class Settings(BaseModel):
    """A table of settings: unknown keys refused, values fixed, no silent conversion of types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _unset(cls, values: Any) -> Any:
        """Take the word none for a setting that is not set: TOML has no null."""
        if not isinstance(values, dict):
            return values
        return {
            name: None if value == "none" and _is_optional(cls, name) else value
            for name, value in values.items()
        }


def _is_optional(table: type[BaseModel], name: str) -> bool:
    field = table.model_fields.get(name)
    return field is not None and type(None) in get_args(field.annotation)


def or_auto(schema: dict[str, Any]) -> None:
    """Say in the JSON schema that ``auto`` is a value too."""
    rules = ("type", "minimum", "anyOf", "items")
    rule = {key: schema.pop(key) for key in rules if key in schema}
    schema["anyOf"] = [*rule.pop("anyOf", [rule] if rule else []), {"const": "auto"}]
