"""A chip of crossbars one step after another, as its manual tells it: one clock, leaks that never rest."""

from __future__ import annotations

import numpy as np


def synapses(projection):
    """Every synapse as (source neuron, target neuron, place of its weight); neurons in C order."""
    table = projection.connectivity
    per_group = table.in_channels // table.groups
    for place in np.ndindex(table.weight_shape):
        out, within, row_tap, column_tap = place
        channel = table.source_channels[0] + out // (table.out_channels // table.groups) * per_group + within
        for row, column in np.ndindex(table.target_shape[1:]):
            y, x = table.rows[row, row_tap], table.columns[column, column_tap]
            if y >= 0 and x >= 0:
                source = np.ravel_multi_index((channel, y, x), table.source_shape)
                target = np.ravel_multi_index((table.target_channels[0] + out, row, column), table.target_shape)
                yield int(source), int(target), place


def matrix(projection):
    """Weights, (source neurons, target neurons)."""
    table = projection.connectivity
    found = np.zeros((int(np.prod(table.source_shape)), int(np.prod(table.target_shape))), dtype=np.int64)
    for source, target, place in synapses(projection):
        found[source, target] += int(projection.weights[place])
    return found


def every_neuron(population, values):
    """Numbers of channels, or of places, as one of each neuron."""
    values = np.asarray(values)
    values = values.reshape(-1, 1, 1) if values.ndim == 1 else values
    return np.broadcast_to(values, population.shape).reshape(-1).astype(np.int64)


def spikes_on_chip(network, host_trains, steps):
    """Spikes of every population on one global clock, for one sample.

    Neurons on the chip are loaded before step 0, know of no window, and take in whatever arrives; what the host sends
    it sends in the windows of its populations.

    Parameters
    ----------
    network : ChipNetwork
    host_trains : dict of population name to array, (timesteps, neurons)
        Of what the host computes and sends.
    steps : int
        Of the global clock.

    Returns
    -------
    dict of population name to bool array, (steps, neurons)
    """
    fired = {one.name: np.zeros((steps, one.neuron_count), dtype=bool) for one in network.populations}
    for name, train in host_trains.items():
        start = network.population(name).start_step
        fired[name][start : start + len(train)] = train[: max(steps - start, 0)] != 0
    on_chip = [one for one in network.populations if not one.on_host]
    weights = {one.name: matrix(one) for one in network.projections}
    leak = {one.name: every_neuron(one, one.bias_mantissa) for one in on_chip}
    threshold = {one.name: every_neuron(one, one.threshold) for one in on_chip}
    potential = {
        one.name: every_neuron(one, one.initial_potential) - one.start_step * leak[one.name] for one in on_chip
    }
    for name, loaded in potential.items():
        assert (np.abs(loaded) <= network.state_max).all(), name
        assert (loaded < threshold[name]).all(), name
    for step in range(steps):
        for one in on_chip:
            value = potential[one.name] + leak[one.name]
            for projection in network.incoming(one.name):
                sent = step - 1 - projection.delay
                if sent >= 0:
                    value = value + fired[projection.source][sent] @ weights[projection.name]
            value = np.clip(value, -network.state_max, network.state_max)
            spike = value >= threshold[one.name]
            fired[one.name][step] = spike
            value[spike] = value[spike] - threshold[one.name][spike] if one.reset == "subtract" else 0
            potential[one.name] = value
    return fired
