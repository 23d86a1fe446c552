"""What a placed network did: the counts that every energy is worked out from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter

from mapping.placement import HOST

_AS_WRITTEN = ConfigDict(extra="forbid", strict=True)
_Positive = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class ProjectionCounts:
    """Accumulates of one projection in one tile.

    Attributes
    ----------
    name : str
        Of the projection.
    ac_dense, ac_effective : int
        One for each synapse that an arriving spike of either sign meets; "effective" leaves weights of zero out. On
        crossbars both are the entries of 1 that spikes meet, in all copies of a neuron: where there is a 0, there is no
        synapse.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _AS_WRITTEN

    name: str
    ac_dense: int
    ac_effective: int


@dataclass(frozen=True)
class TileCounts:
    """What one tile does, summed over all samples; all counts are exact.

    Synaptic operations are charged to the core that holds the target neuron; spikes, messages and their hops to the
    core that sends them.

    Attributes
    ----------
    core : str
        Address of the core.
    chip : int
    population : str
    projections : tuple of ProjectionCounts
        Of all projections into the population. Accumulates of a maximum over counts are among them.
    input_mac_dense, input_mac_effective : int
        Multiply-accumulates of the input current, applied once a sample; "effective" leaves out inputs and
        weights of zero.
    input_mac_dense_every_step, input_mac_effective_every_step : int
        The same if the input were applied in every step.
    input_currents : int
        Input currents worked out: neurons that have one, once a sample.
    input_additions : int
        Additions of the input current, one for each neuron that has it and each step that takes in input.
    neuron_updates : int
        Neurons times steps, of which a population with a lead has so many more.
    bias_additions : int
        Neurons with a bias times steps that take in input.
    spikes, resets : int
        Spikes sent, those of -1 too; and those after which the potential is reset.
    messages, off_chip_messages : int
        Spikes, each once for every projection and core that it goes to, its own core among them; and those to another
        chip.
    hops_x, hops_y : int
        Links along x and along y that the messages pass; where the chip routes along trees, each link of a tree once.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _AS_WRITTEN

    core: str
    chip: int
    population: str
    projections: tuple[ProjectionCounts, ...]
    input_mac_dense: int
    input_mac_effective: int
    input_mac_dense_every_step: int
    input_mac_effective_every_step: int
    input_currents: int
    input_additions: int
    neuron_updates: int
    bias_additions: int
    spikes: int
    resets: int
    messages: int
    off_chip_messages: int
    hops_x: int
    hops_y: int

    @property
    def ac_dense(self) -> int:
        """Accumulates of all projections."""
        return sum(one.ac_dense for one in self.projections)

    @property
    def ac_effective(self) -> int:
        """Accumulates of all projections, weights of zero left out."""
        return sum(one.ac_effective for one in self.projections)


@dataclass(frozen=True)
class PopulationSize:
    """What one population has to hold.

    Attributes
    ----------
    name : str
    neurons : int
    synapses : int
        Of all projections from populations, padding left out, weights of zero counted.
    weights : int
        Different weights of these: a convolution shares one among many synapses.
    input_weights : int
        Weights of the input currents.
    projections_out, convolutions_out : int
        Projections from here, and those of them to maps of more than one position.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _AS_WRITTEN

    name: str
    neurons: int
    synapses: int
    weights: int
    input_weights: int
    projections_out: int
    convolutions_out: int


@dataclass(frozen=True)
class FloatLayer:
    """What one layer of the trained network does for one sample.

    Attributes
    ----------
    name : str
    dense : bool
        A dense layer, not a convolution.
    macs : int
        Multiply-accumulates, taps in the padding left out.
    macs_padded : int
        With taps in the padding, as most tools count.
    bias_additions : int
    weights, inputs, outputs : int
        Values: weights with biases, activations read, activations written.
    kernel_positions : int
        Output channels times taps of a kernel; 0 of a dense layer.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _AS_WRITTEN

    name: str
    dense: bool
    macs: int
    macs_padded: int
    bias_additions: int
    weights: int
    inputs: int
    outputs: int
    kernel_positions: int


@dataclass(frozen=True)
class OperationCounts:
    """Counts of a whole run.

    Attributes
    ----------
    samples : int
    timesteps : int
        T, the length of the window.
    latency_steps : int
        From the first step of a sample to its result.
    read_out_step : int
        Step of their window from which on outputs are read.
    chips : int
        Chips in use.
    inputs : int
        Values of one sample.
    tiles : tuple of TileCounts
        In the order of the placement; then what the host computes, if it computes neurons.
    populations : tuple of PopulationSize
    float_layers : tuple of FloatLayer
        Of the trained network.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _AS_WRITTEN

    samples: _Positive
    timesteps: _Positive
    latency_steps: int
    read_out_step: int
    chips: int
    inputs: int
    tiles: tuple[TileCounts, ...]
    populations: tuple[PopulationSize, ...]
    float_layers: tuple[FloatLayer, ...]

    @property
    def placed_tiles(self) -> list[TileCounts]:
        """Those of the placement, in its order."""
        return [tile for tile in self.tiles if tile.core != HOST]

    @property
    def spikes_per_inference(self) -> list[float]:
        """Mean spikes of one inference in each tile of the placement."""
        return [tile.spikes / self.samples for tile in self.placed_tiles]

    @property
    def float_macs(self) -> int:
        """Multiply-accumulates of the trained network for one sample, padding left out."""
        return sum(layer.macs for layer in self.float_layers)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def counts_from_json(text: str) -> OperationCounts:
    """The counts that `OperationCounts.as_dict` gave, from JSON.

    Raises
    ------
    ValueError
        A field is missing, unknown or of another type.
    """
    return TypeAdapter(OperationCounts).validate_json(text)
