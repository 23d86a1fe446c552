"""From a trained network to the neurons of an analog chip."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.analog_core import AnalogPopulation
from mapping.fan_in_parts import distinct_reads
from nmdeploy.convert.lower_layers import lower_layers
from nmdeploy.layers.graph import LayerGraph
from nmdeploy.simplify import simplify
from nmdeploy.spiking.network import FloatProjection


def analog_populations(graph: LayerGraph) -> list[AnalogPopulation]:
    """Convert the layers of a network as for any chip, and count neurons and synapses.

    Raises
    ------
    UnsupportedNetworkError
        Lists what has no exact form.
    """
    network, _ = lower_layers(simplify(graph))
    populations = []
    for population in network.populations:
        synapses = np.zeros(population.shape, dtype=np.int64)
        for projection in network.incoming(population.name):
            add_sources(synapses, projection)
        populations.append(AnalogPopulation(population.name, synapses.size, int(synapses.max())))
    return populations


def add_sources(synapses: NDArray[np.int64], projection: FloatProjection) -> None:
    """Add to the synapses of each neuron, (channels, rows, columns), its sources in one projection."""
    table = projection.connectivity
    rows, columns = distinct_reads(table.rows), distinct_reads(table.columns)
    channels = slice(*table.target_channels)
    synapses[channels] += table.in_channels // table.groups * np.multiply.outer(rows, columns)
