"""The integer network that a chip runs: what quantisation makes, mapping places and the simulators compute.

Integer semantics
-----------------
Time is discrete and counted from 0. All potentials, currents, thresholds and biases are integers in the unit
of the membrane potential. A population has a window of T steps for each sample, in which it takes in its
input. In step i of the window (0 <= i < T):

0. all that is taken in during step i is shifted to the left by `mapping.step_weights.input_shift`, which is 0 in
   networks without refinement steps;
1. every projection delivers ``u = sum(weight_mantissa * spike) * 2**(synapse_exponent + weight_exponent)``
   of the spikes that its source sent in firing step i of the source's own window (in a cycle: ``i - lag``);
2. ``v = v + u + bias`` (for a population with input current: the bias holds the current too), and v saturates
   at +-``state_max``, each saturation being counted;
3. spike +1 if ``v >= threshold``; an "imbalanced" population spikes -1 if ``v <= -negative_threshold``;
4. a spike of +1 takes `threshold` from v (reset "subtract") or sets v to 0 (reset "zero"); a spike of -1 adds
   `negative_threshold`, or sets v to 0. Populations of reset "none" never spike.

Neurons with a count memory, and those of a maximum over counts, replace 2 to 4 as `mapping.neuron_models` says.
A population with a lead of k steps fires k steps later: firing step j (0 <= j < T) is step j + k of its window, in
which it takes in input only while j + k < T. Populations without a lead fire in the steps of their window.

At step 0 of a window v starts from `initial_potential`. On the global clock the window of a population starts
at its `start_step` and a projection takes ``1 + delay`` steps. Wherever paths do not form a cycle,
``start_step(target) = start_step(source) + lead(source) + 1 + delay``: the spikes of the source's firing step i
arrive in the target's step i. No start steps balance a cycle; there they arrive in the target's step ``i + lag``, with
``lag = start_step(source) + lead(source) + 1 + delay - start_step(target) >= 0``. Samples follow each other every
T + gap steps, where the gap is the largest lag or lead: between windows populations are idle, and what arrives
then is lost, so that no sample touches the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity, Shape
from mapping.neuron_models import CountMemory, NeuronModel, PoolCounts

Reset = Literal["subtract", "zero", "none"]
SignMode = Literal["mixed", "excitatory", "inhibitory"]


@dataclass(frozen=True)
class Population:
    """Neurons of one model, arranged as (channels, rows, columns).

    On a chip whose spike test is strict (v > threshold) this network's ``v >= threshold`` is met by starting
    v one unit higher for reset "subtract", which keeps the offset for ever, and by thresholds that are one
    unit above a multiple of the threshold step for reset "zero", where all increments are multiples of that
    step.

    Attributes
    ----------
    name : str
        Unique in the network.
    shape : (int, int, int)
        Channels, rows, columns.
    reset : {"subtract", "zero", "none"}
        "none" marks an accumulator: it integrates and never spikes.
    threshold : int64 array, (channels,)
        Zeros for an accumulator.
    negative_threshold : int64 array, (channels,), or None
        Positive magnitudes; None but for "imbalanced" populations.
    bias_mantissa : int64 array, (channels, 1, 1) or `shape`
        Added in every step of the window, times ``2**bias_exponent``.
    bias_exponent : int64 array, like `bias_mantissa`
    initial_potential : int64 array, (channels,)
    start_step : int
        Global step of the first step of the first window.
    scale : float64 array, (channels,)
        Activation of the trained network that one spike in every step stands for; for an accumulator the
        activation that one unit of ``v / T`` stands for.
    is_output : bool
        Whether its result is one of the network's outputs.
    count_memory : CountMemory or None
        Of neurons that fire by their count; reset is "subtract" and `negative_threshold` None.
    pool_counts : PoolCounts or None
        Of a maximum over counts; reset is "subtract", and threshold, bias and initial potential are zeros.
    on_host : bool
        Whether the host computes it, and no core: of chips of crossbars, which take in and give out nothing but spikes,
        the neurons that turn a sample into spikes, and the counters of the outputs.
    type_weights : int64 array, (channels, axon types), or None
        What a spike adds to a neuron through one axon of each type (`mapping.axon_types`), on chips of crossbars.
    """

    name: str
    shape: Shape
    reset: Reset
    threshold: NDArray[np.int64]
    negative_threshold: NDArray[np.int64] | None
    bias_mantissa: NDArray[np.int64]
    bias_exponent: NDArray[np.int64]
    initial_potential: NDArray[np.int64]
    start_step: int
    scale: NDArray[np.float64]
    is_output: bool = False
    count_memory: CountMemory | None = None
    pool_counts: PoolCounts | None = None
    on_host: bool = False
    type_weights: NDArray[np.int64] | None = None

    @property
    def neuron_count(self) -> int:
        """Number of neurons."""
        channels, rows, columns = self.shape
        return channels * rows * columns

    @property
    def model(self) -> NeuronModel:
        """Name of the neuron model as profiles list it."""
        if self.pool_counts is not None:
            return "max_pool"
        if self.count_memory is not None:
            return self.count_memory.model
        return "if" if self.negative_threshold is None else "imbalanced"

    @property
    def sends_negative(self) -> bool:
        """Whether there are spikes of -1."""
        counting = self.pool_counts or self.count_memory
        return self.negative_threshold is not None if counting is None else counting.sends_negative

    @property
    def lead(self) -> int:
        """Steps of its window before the first firing step."""
        return 0 if self.count_memory is None else self.count_memory.lead

    @property
    def firing_start_step(self) -> int:
        """Global step of the first firing step of the first window."""
        return self.start_step + self.lead

    @property
    def bias(self) -> NDArray[np.int64]:
        """Bias in membrane units, shape as `bias_mantissa`."""
        bias: NDArray[np.int64] = self.bias_mantissa << self.bias_exponent
        return bias


@dataclass(frozen=True)
class Projection:
    """Synapses from one population to another.

    Attributes
    ----------
    name : str
        Unique in the network.
    source, target : str
        Names of populations.
    connectivity : Connectivity
    weights : int32 array, `connectivity.weight_shape`
        Mantissas as programmed into the chip (even in a mixed-sign group of 8 bits on Loihi).
    weight_exponent : int
        One for the projection.
    weight_bits : int
        Width of the weights in the synapse format.
    sign_mode : {"mixed", "excitatory", "inhibitory"}
    delay : int
        Extra steps beyond the one that every projection takes.
    axon_types : tuple of int
        On chips of crossbars, the types of the axons that each source neuron drives in a core, one entry an axon; empty
        into populations on the host.
    """

    name: str
    source: str
    target: str
    connectivity: Connectivity
    weights: NDArray[np.int32]
    weight_exponent: int
    weight_bits: int
    sign_mode: SignMode
    delay: int = 0
    axon_types: tuple[int, ...] = ()


@dataclass(frozen=True)
class InputProjection:
    """The part of a population's current that the host computes from a sample, constant over the window.

    ``current = (sum(weights * x) + 2**(f-1)) >> f`` with ``f = weight_fraction_bits + input_fraction_bits``
    and ``x = round(sample * 2**input_fraction_bits)``; the sum of the currents and the bias of a neuron is
    then rounded to the chip's bias mantissa and exponent. Integers only, so that every machine computes the
    same currents.

    Attributes
    ----------
    name, target : str
    connectivity : Connectivity
        Its source is the network's input.
    weights : int64 array, `connectivity.weight_shape`
    weight_fraction_bits, input_fraction_bits : int
    """

    name: str
    target: str
    connectivity: Connectivity
    weights: NDArray[np.int64]
    weight_fraction_bits: int
    input_fraction_bits: int


@dataclass(frozen=True)
class ChipNetwork:
    """Populations joined by projections, in a chip's integers.

    Attributes
    ----------
    input_shape : (int, int, int)
        Channels, rows, columns of one sample.
    timesteps : int
        T, the length of the window.
    synapse_exponent, threshold_exponent, state_max, bias_mantissa_max, bias_exponent_max : int
        The profile's number formats that the semantics above need.
    graph : networkx.MultiDiGraph
        Nodes are population names with attribute "population"; edges have the projection's name as key and
        the attribute "projection". Node and edge order is the order of creation; the source of every projection
        without lag stands before its target.
    input_projections : tuple of InputProjection
    refinement_steps : int
        Steps at the end of every window whose spikes weigh a half, a quarter, ... of the others; all neurons that spike
        have a count memory then, or hold a maximum over counts.
    read_out_step : int
        First step of their window from which on outputs are read; the host takes away what they held before.
    """

    input_shape: Shape
    timesteps: int
    synapse_exponent: int
    threshold_exponent: int
    state_max: int
    bias_mantissa_max: int
    bias_exponent_max: int
    graph: nx.MultiDiGraph
    input_projections: tuple[InputProjection, ...] = field(default=())
    refinement_steps: int = 0
    read_out_step: int = 0

    @property
    def populations(self) -> list[Population]:
        """All populations, sources before targets but for projections with a lag."""
        return [data["population"] for _, data in self.graph.nodes(data=True)]

    @property
    def projections(self) -> list[Projection]:
        """All projections between populations, in order of their targets."""
        return [projection for population in self.populations for projection in self.incoming(population.name)]

    @property
    def outputs(self) -> list[Population]:
        """The populations that hold the network's outputs."""
        return [population for population in self.populations if population.is_output]

    def population(self, name: str) -> Population:
        """The population of this name."""
        population: Population = self.graph.nodes[name]["population"]
        return population

    def incoming(self, name: str) -> Iterator[Projection]:
        """Projections into the population `name`."""
        return (data["projection"] for _, _, data in self.graph.in_edges(name, data=True))

    def outgoing(self, name: str) -> Iterator[Projection]:
        """Projections out of the population `name`."""
        return (data["projection"] for _, _, data in self.graph.out_edges(name, data=True))

    def input_currents(self, name: str) -> Iterator[InputProjection]:
        """Input projections into the population `name`."""
        return (projection for projection in self.input_projections if projection.target == name)

    def shift(self, projection: Projection) -> int:
        """Left shift from a projection's sum of mantissas to membrane units; 0 or more in a legal network."""
        return self.synapse_exponent + projection.weight_exponent

    def lag(self, projection: Projection) -> int:
        """Steps of the window by which the spikes of a projection come late; 0 but for cycles."""
        source, target = self.population(projection.source), self.population(projection.target)
        return source.firing_start_step + 1 + projection.delay - target.start_step

    @property
    def gap_steps(self) -> int:
        """Steps between the windows of two samples in which no input is taken in."""
        lags = [self.lag(projection) for projection in self.projections]
        return max([0, *lags, *(population.lead for population in self.populations)])

    @property
    def latency_steps(self) -> int:
        """Steps from the first step of the first population to the last firing step of any."""
        return self.timesteps + max((population.firing_start_step for population in self.populations), default=0)


def build_graph(populations: list[Population], projections: list[Projection]) -> nx.MultiDiGraph:
    """Join populations, given in the order of `ChipNetwork.graph`, and projections."""
    graph = nx.MultiDiGraph()
    for population in populations:
        graph.add_node(population.name, population=population)
    for projection in projections:
        graph.add_edge(projection.source, projection.target, key=projection.name, projection=projection)
    return graph
