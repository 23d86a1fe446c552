"""What a profile is made of: values, each with its status and its source."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

Status = Literal["published", "derived", "assumed"]
Source = Annotated[str, Field(min_length=1)]


class Strict(BaseModel):
    """A part of a profile: no unknown fields, no changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sourced(Strict):
    """Something that is said of a chip, with where it comes from."""

    status: Status
    source: Source


class Quantity(Sourced):
    """One integer."""

    value: StrictInt


class Count(Quantity):
    """A quantity that may be 0 but not negative."""

    value: Annotated[StrictInt, Field(ge=0)]


class Capacity(Quantity):
    """A quantity of at least 1."""

    value: Annotated[StrictInt, Field(ge=1)]


class Choice(Sourced):
    """A list of allowed values."""

    values: Annotated[tuple[StrictInt, ...], Field(min_length=1)]


class Flag(Sourced):
    """A property that a chip has or has not."""

    value: StrictBool


class Models(Sourced):
    """Names of what a chip has."""

    names: tuple[str, ...]


class NeuronModels(Models):
    """Neuron models that a chip has."""

    names: Annotated[tuple[Literal["if", "imbalanced", "signed", "paced", "max_pool"], ...], Field(min_length=1)]


class ResetModes(Models):
    """What a spike can do to the potential of a neuron of a chip."""

    names: Annotated[tuple[Literal["subtract", "zero"], ...], Field(min_length=1)]
