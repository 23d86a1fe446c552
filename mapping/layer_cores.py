"""Match whole layers to the cores of a chip whose cores compute a layer each and differ: exact, by bipartite matching.

What a layer takes of a core's memories follows how the chip addresses them (sinabs, dynapcnn_layer.py): positions are
bit fields, so that, for C input channels, F channels, a kernel of Ky x Kx and H x W neurons a channel,

    kernel entries = C * 2**(ceil(log2(Ky * Kx)) + ceil(log2(F)))
    neuron entries = F * 2**(ceil(log2(H)) + ceil(log2(W)))
    bias entries   = F, or 0 without biases
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import networkx as nx

from hw_profiles.layer_core_profile import LayerCore, LayerCoreProfile
from mapping.violation import DoesNotFitError, Violation


@dataclass(frozen=True)
class ConvolutionLayer:
    """A convolution with spiking neurons: what one core computes.

    A dense layer is one whose kernel covers the input map.

    Attributes
    ----------
    name : str
        Unique in the network.
    source : str or None
        Layer that it reads; None for the input.
    input_shape : (int, int, int)
        Channels, rows, columns of what arrives, pooled.
    channels : int
    kernel, stride, padding : (int, int)
        Of rows and columns.
    has_bias : bool
    source_pooling : int
        Rows and columns of the windows over which the source's core sums its spikes, for this layer, before it sends
        them; they do not overlap.
    """

    name: str
    source: str | None
    input_shape: tuple[int, int, int]
    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    has_bias: bool = True
    source_pooling: int = 1

    @property
    def neuron_shape(self) -> tuple[int, int, int]:
        """Channels, rows and columns of the neurons."""
        rows, columns = (
            (size - kernel + 2 * padding) // stride + 1
            for size, kernel, padding, stride in zip(
                self.input_shape[1:], self.kernel, self.padding, self.stride, strict=True
            )
        )
        return self.channels, rows, columns


@dataclass(frozen=True)
class LayerDemands:
    """Entries that a layer takes; the fields are named as those of `hw_profiles.layer_core_profile.LayerCore`."""

    kernel_entries: int
    neuron_entries: int
    bias_entries: int


MEMORY_CODES = {"kernel_entries": "NMD604", "neuron_entries": "NMD605", "bias_entries": "NMD606"}
"""Rule that a demand above a memory breaks."""

REMEDIES = {
    "kernel_entries": "Use fewer channels or a smaller kernel; pool before a dense layer",
    "neuron_entries": "Use fewer channels, a larger stride, or a smaller input",
    "bias_entries": "Use fewer channels, or no biases",
}


def layer_demands(layer: ConvolutionLayer) -> LayerDemands:
    """Count what a layer takes of the memories of whichever core computes it."""
    rows, columns = layer.kernel
    channels, neuron_rows, neuron_columns = layer.neuron_shape
    return LayerDemands(
        kernel_entries=layer.input_shape[0] << (address_bits(rows * columns) + address_bits(channels)),
        neuron_entries=channels << (address_bits(neuron_rows) + address_bits(neuron_columns)),
        bias_entries=channels if layer.has_bias else 0,
    )


def address_bits(count: int) -> int:
    """Bits that tell so many positions apart: ``ceil(log2(count))``, 0 for one or none."""
    return max(count - 1, 0).bit_length()


def match_layers(layers: list[ConvolutionLayer], profile: LayerCoreProfile) -> dict[str, int]:
    """Give every layer a core of its own that holds it.

    Parameters
    ----------
    layers : list of ConvolutionLayer
        Within ``profile.layer_limits`` and joined as they say; `mapping.verify_layers.verify_layers` checks both.
    profile : LayerCoreProfile

    Returns
    -------
    dict of str to int
        Number of the core by name of the layer, in order of the layers; the same for the same input.

    Raises
    ------
    DoesNotFitError
        A layer fits no core, for each memory why; or some layers together fit too few cores: those are named.
    """
    dead = {core.core for core in profile.dead_cores}
    cores = {index: core for index, core in enumerate(profile.cores) if index not in dead}
    fitting = {
        layer.name: [index for index, core in cores.items() if holds(core, layer_demands(layer))] for layer in layers
    }
    unfit = [layer for layer in layers if not fitting[layer.name]]
    if unfit:
        raise DoesNotFitError([violation for layer in unfit for violation in why_no_core(layer, cores)])
    matching = largest_matching([fitting[layer.name] for layer in layers])
    left_over = next((number for number in range(len(layers)) if number not in matching), None)
    if left_over is not None:
        reached, shared = too_many_for(left_over, [fitting[layer.name] for layer in layers], matching)
        raise DoesNotFitError([too_few_cores([layers[number].name for number in reached], shared)])
    return {layer.name: matching[number] for number, layer in enumerate(layers)}


def largest_matching(fitting: list[list[int]]) -> dict[int, int]:
    """Match as many layers as there can be, each to one of the cores that it fits.

    Parameters
    ----------
    fitting : list of list of int
        Cores that each layer fits.

    Returns
    -------
    dict of int to int
        Core by position of the layer.
    """
    # nodes are whole numbers, since NetworkX goes through sets of them: the order of strings in sets varies
    first_core = len(fitting)
    graph = nx.Graph()
    graph.add_nodes_from(range(first_core))
    graph.add_edges_from((number, first_core + core) for number, cores in enumerate(fitting) for core in cores)
    matched = nx.bipartite.hopcroft_karp_matching(graph, top_nodes=range(first_core))
    return {number: matched[number] - first_core for number in range(first_core) if number in matched}


def too_many_for(
    left_over: int, fitting: list[list[int]], matching: dict[int, int]
) -> tuple[list[int], list[int]]:
    """Layers, one more than the cores that they fit: the proof that there is no matching of all (Hall's theorem).

    They are those that a layer left over by a largest matching reaches by alternating paths.
    """
    held = {core: number for number, core in matching.items()}
    reached, cores = [left_over], list[int]()
    for number in reached:
        for core in fitting[number]:
            if core not in cores:
                cores.append(core)
                reached.append(held[core])
    return sorted(reached), sorted(cores)


def holds(core: LayerCore, demands: LayerDemands) -> bool:
    """Whether a core has the memories for a layer."""
    return all(getattr(demands, memory) <= getattr(core, memory).value for memory in MEMORY_CODES)


def why_no_core(layer: ConvolutionLayer, cores: dict[int, LayerCore]) -> Iterator[Violation]:
    """Say of each memory that no core has enough of; if there is none, of the memories of the core that lacks least."""
    demands = layer_demands(layer)
    largest = {memory: max((getattr(core, memory).value for core in cores.values()), default=0) for memory in REMEDIES}
    short = [memory for memory in REMEDIES if getattr(demands, memory) > largest[memory]]
    if short:
        for memory in short:
            yield memory_violation(layer.name, "fits no core", memory, getattr(demands, memory), largest[memory])
        return
    # each memory alone is somewhere large enough, but no core has them all
    lacking = {
        index: [memory for memory in REMEDIES if getattr(demands, memory) > getattr(core, memory).value]
        for index, core in cores.items()
    }
    index = min(lacking, key=lambda number: (len(lacking[number]), excess(demands, cores[number]), number))
    for memory in lacking[index]:
        reason = f"fits no core; core {index} lacks least"
        yield memory_violation(
            layer.name, reason, memory, getattr(demands, memory), getattr(cores[index], memory).value
        )


def excess(demands: LayerDemands, core: LayerCore) -> float:
    """How many times the memory that is shortest would be needed."""
    return max(float(getattr(demands, memory) / getattr(core, memory).value) for memory in REMEDIES)


def memory_violation(layer: str, reason: str, memory: str, demand: int, capacity: int) -> Violation:
    """A layer's demand above a memory."""
    label = memory.replace("_", " ")
    return Violation(
        MEMORY_CODES[memory], "error", f"layer {layer}", f"{reason}: {label}", demand, capacity, REMEDIES[memory]
    )


def too_few_cores(layers: list[str], cores: list[int]) -> Violation:
    """Layers that together fit fewer cores than they are."""
    return Violation(
        "NMD603",
        "error",
        "network",
        f"layers {', '.join(layers)} fit no cores but {', '.join(map(str, cores))}, which take one layer each",
        len(layers),
        len(cores),
        "Make one of these layers smaller, so that it fits another core, or use fewer layers",
    )
