"""Runs an exported network through netx and compares every spike with the simulator's."""

from __future__ import annotations

import numpy as np

from nmdeploy.export.net_file import first_layer_input, write_net_file
from nmdeploy.simulator import simulate


def netx_trains(netx, folder, network, samples):
    """Export and run: spikes by population, (samples, timesteps, neurons in C order), and the last potentials."""
    net, sent, result = folder / "network.net", folder / "sent.npy", folder / "result.npz"
    write_net_file(net, network)
    np.save(sent, first_layer_input(network, samples, network.timesteps))
    netx("run", net=net, sent=sent, timesteps=network.timesteps, result=result)
    trains = {}
    with np.load(result) as found:
        for number, population in enumerate(network.populations):
            spikes = _channels_first(found[f"layer {number}"])
            windows = [
                spikes[..., start : start + network.timesteps].reshape(-1, network.timesteps).T
                for start in population.start_step + network.timesteps * np.arange(len(samples))
            ]
            trains[population.name] = np.array(windows).astype(np.int8)
        potential = _channels_first(found["potential"][..., None]).reshape(-1)
    return trains, potential


def _channels_first(values):
    """Lava's (columns, rows, channels, steps) to (channels, rows, columns, steps); dense layers have channels only."""
    return values.transpose(2, 1, 0, 3) if values.ndim == 4 else values


def assert_netx_computes_the_same(netx, folder, network, samples):
    trains, potential = netx_trains(netx, folder, network, samples)
    expected = simulate(network, samples, record_spike_trains=True)
    for name, train in expected.spike_trains.items():
        np.testing.assert_array_equal(trains[name], train, err_msg=name)
    np.testing.assert_array_equal(potential, expected.potentials[-1, -1])
    return expected
