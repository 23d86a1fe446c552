"""The data model of a chip whose cores each compute one convolutional layer, and differ in their memories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StrictInt, model_validator

from hw_profiles.contradictions import Contradiction, refuse
from hw_profiles.quantities import Capacity, Choice, Count, Quantity, ResetModes, Sourced, Strict


class LayerCore(Strict):
    """Memories of one core, each in entries.

    What a layer of C input channels, F output channels, a kernel of K x K and H x W neurons a channel takes of them is
    not their product: positions are addressed by bit fields, so that all but one of the factors are rounded up to
    powers of two (see `mapping.layer_cores`).
    """

    kernel_entries: Capacity
    neuron_entries: Capacity
    bias_entries: Capacity


class DeadLayerCore(Sourced):
    """Number of a core that must not be used."""

    core: Annotated[StrictInt, Field(ge=0)]


class LayerLimits(Strict):
    """What a layer may be, whichever core computes it."""

    input_size: Capacity
    output_size: Capacity
    channels: Capacity
    kernel_size: Capacity
    strides: Choice
    padding: Count
    pooling: Choice
    target_layers: Capacity


class LayerFormats(Strict):
    """Widths of weights and potentials, sign included, and the lowest potential."""

    weight_bits: Capacity
    potential_bits: Capacity
    potential_min: Quantity


class LayerCoreProfile(Strict):
    """A chip of cores for one layer each; they may differ.

    Attributes
    ----------
    cores : tuple of LayerCore
        Numbered from 0.
    dead_cores : tuple of DeadLayerCore
    """

    kind: Literal["layer_cores"]
    name: str
    title: str
    notes: str
    cores: Annotated[tuple[LayerCore, ...], Field(min_length=1)]
    dead_cores: tuple[DeadLayerCore, ...] = ()
    layer_limits: LayerLimits
    number_formats: LayerFormats
    reset_modes: ResetModes

    @model_validator(mode="after")
    def _dead_cores_exist(self) -> LayerCoreProfile:
        refuse(self._contradictions())
        return self

    def _contradictions(self) -> Iterator[Contradiction]:
        for index, dead in enumerate(self.dead_cores):
            if dead.core >= len(self.cores):
                yield f"dead_cores.{index}.core", f"{dead.core} is outside of 0 to {len(self.cores) - 1}"
        for name in ("strides", "pooling"):
            if min(getattr(self.layer_limits, name).values) < 1:
                yield f"layer_limits.{name}", "every value must be at least 1"
