"""Memory accesses and addresses: the model of Lemaire et al. (2022) on exact counts.

Every layer has a memory of its own for weights, for the state of its neurons, and queues of messages before and after
it; an access moves one value and costs what an SRAM of that size costs. Lemaire, Miramond, Bilavarn, Saoud and
Abderrahmane, "An analytical estimation of spiking neural networks energy efficiency", ICONIP 2022, arXiv 2210.13107.

A spiking layer
    reads a weight, and reads and writes a potential, for each accumulate;
    reads and writes a potential for each update, and reads a bias or an input current for each that is added;
    writes a message for each spike, which is read once for every projection;
    adds once for the address of each accumulate, and multiplies twice for each spike that a convolution reads.
An input current takes a weight and an input for each multiply-accumulate, and is written once.

A layer of the trained network
    reads a weight for each multiply-accumulate and an input for each of a convolution's, or each input once, and a
    bias for each that is added; writes each output;
    adds once for the address of each input, output and position of a kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hw_profiles.energy import EnergyPreset, EventKind, MemoryModel
from nmdeploy.energy.counts import FloatLayer, PopulationSize


@dataclass(frozen=True)
class ValueBytes:
    """Width of what memories hold, which decides how large they are.

    Attributes
    ----------
    weight, state, message : float
        Bytes of a weight; of a potential or current; and of a message, input or activation.
    """

    weight: float
    state: float
    message: float

    @classmethod
    def equal(cls, memory: MemoryModel) -> ValueBytes:
        """All values as wide as the model has them."""
        return cls(*[float(memory.value_bytes)] * 3)


def access_pj(memory: MemoryModel, size_bytes: float) -> float:
    """Energy of one access to a memory of this size."""
    sizes, energies = zip(*memory.access_pj, strict=True)
    return float(np.interp(size_bytes, sizes, energies))


def spiking_memory_pj(
    preset: EnergyPreset,
    memory: MemoryModel,
    events: dict[EventKind, int],
    input_currents: int,
    size: PopulationSize,
    inputs: int,
    widths: ValueBytes,
) -> dict[str, float]:
    """Energy of addresses and memories for some tiles of one population.

    Parameters
    ----------
    preset : EnergyPreset
        Prices of additions and multiplications.
    memory : MemoryModel
    events : dict of event kind to int
    input_currents : int
        See `nmdeploy.energy.counts.TileCounts`.
    size : PopulationSize
    inputs : int
        Values of one sample.
    widths : ValueBytes

    Returns
    -------
    dict of str to float
        Picojoule of "addresses", "weights in memory", "states in memory" and "messages in memory".
    """
    accumulates, multiplies = events["accumulate"], events["multiply_accumulate"]
    weights = access_pj(memory, (size.weights + size.input_weights) * widths.weight)
    states = access_pj(memory, size.neurons * widths.state)
    messages = access_pj(memory, memory.queue_values * widths.message)
    samples = access_pj(memory, inputs * widths.message)
    add, multiply = preset.energy_pj["accumulate"], preset.energy_pj["multiply_accumulate"]
    reads_of_states = accumulates + events["neuron_update"] + events["bias_addition"] + events["input_addition"]
    writes_of_states = accumulates + events["neuron_update"] + input_currents
    return {
        "addresses": accumulates * add + events["spike"] * size.convolutions_out * 2 * multiply,
        "weights in memory": (accumulates + multiplies) * weights,
        "states in memory": (reads_of_states + writes_of_states) * states,
        "messages in memory": events["spike"] * (1 + size.projections_out) * messages + multiplies * samples,
    }


def float_memory_pj(
    preset: EnergyPreset, memory: MemoryModel, layer: FloatLayer, widths: ValueBytes
) -> dict[str, float]:
    """Energy of addresses and memories for one sample in one layer of the trained network; see `spiking_memory_pj`."""
    weights = access_pj(memory, layer.weights * widths.weight)
    inputs, outputs = (access_pj(memory, count * widths.message) for count in (layer.inputs, layer.outputs))
    addresses = layer.inputs + layer.outputs + layer.kernel_positions
    return {
        "addresses": addresses * preset.energy_pj["accumulate"],
        "weights in memory": (layer.macs + layer.bias_additions) * weights,
        "messages in memory": (layer.inputs if layer.dense else layer.macs) * inputs + layer.outputs * outputs,
    }
