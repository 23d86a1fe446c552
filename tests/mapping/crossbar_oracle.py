"""What a placed network asks of crossbars, found by listing every synapse."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import synapse_oracle


def homes(network, placement):
    """Core of each neuron of the network, and how often neurons stand in a tile."""
    found, times = {}, Counter()
    for number, core in enumerate(placement.cores):
        for tile in core.tiles:
            for channel in range(*tile.channels):
                for row in range(*tile.rows):
                    for column in range(*tile.columns):
                        found[tile.population, (channel, row, column)] = number
                        times[tile.population, (channel, row, column)] += 1
    return found, times


def neurons(network):
    """All neurons on the chip."""
    for population in network.populations:
        if not population.on_host:
            for place in np.ndindex(population.shape):
                yield population.name, tuple(int(index) for index in place)


def expected_axons(network, placement):
    """Every (core, projection, source neuron, copy)."""
    home, _ = homes(network, placement)
    found = set()
    for projection in network.projections:
        if network.population(projection.target).on_host:
            continue
        for source, target, _, _ in synapse_oracle.list_synapses(projection):
            core = home[projection.target, target]
            found |= {(core, projection.name, source, copy) for copy in range(len(projection.axon_types))}
    return found


def read_by_host(network):
    """Neurons on the chip that a counter has a synapse from."""
    found = set()
    for projection in network.projections:
        if network.population(projection.target).on_host:
            found |= {(projection.source, source) for source, *_ in synapse_oracle.list_synapses(projection)}
    return found


def listed_axons(network, program):
    """The program's axons as in `expected_axons`, by core and axon."""
    axons = program.axons
    found = {}
    for core, axon, kind, number, neuron, copy in zip(
        axons.core, axons.axon, axons.axon_type, axons.projection, axons.source_neuron, axons.copy, strict=True
    ):
        projection = network.projections[number]
        source = np.unravel_index(int(neuron), projection.connectivity.source_shape)
        assert (int(core), int(axon)) not in found, "two drivers of one axon"
        assert projection.axon_types[copy] == kind
        found[int(core), int(axon)] = (int(core), projection.name, tuple(int(index) for index in source), int(copy))
    return found


def listed_columns(network, program):
    """The program's columns: (core, column, population, neuron, target core, target axon, delay)."""
    columns = program.columns
    names = [population.name for population in network.populations]
    for core, column, population, neuron, target, axon, delay in zip(
        columns.core,
        columns.column,
        columns.population,
        columns.neuron,
        columns.target_core,
        columns.target_axon,
        columns.delay,
        strict=True,
    ):
        shape = network.populations[population].shape
        place = tuple(int(index) for index in np.unravel_index(int(neuron), shape))
        yield int(core), int(column), names[population], place, int(target), int(axon), int(delay)


def single_neuron_axons(network):
    """Axons that each neuron on the chip needs if it has a core for itself."""
    read = defaultdict(set)
    for projection in network.projections:
        if not network.population(projection.target).on_host:
            for source, target, _, _ in synapse_oracle.list_synapses(projection):
                read[projection.target, target] |= {
                    (projection.name, source, copy) for copy in range(len(projection.axon_types))
                }
    return {neuron: len(read[neuron]) for neuron in neurons(network)}
