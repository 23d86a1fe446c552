"""Six neurons computed by hand: a first layer with input current, a second one with synapses.

W1 = [[2, 1, -1], [1, -2, 4], [-1, 3, 2], [3, 0, 1]], b1 = [0, 1, -1, 0], threshold 8, initial potential 4;
W2 = [[3, 1, 2, 0], [-2, 4, 1, 5]], b2 = [1, 0], threshold 6, initial potential 3; x = [3, 1, 0]; four steps.
"""

from __future__ import annotations

import numpy as np

from hw_profiles import load_profile
from mapping.connectivity import Connectivity
from mapping.network import ChipNetwork, InputProjection, Population, Projection, build_graph
from mapping.placement import CoreAddress, CoreRecord, Placement
from mapping.tiles import Demands, Tile
from nmdeploy.energy.count_operations import count_operations
from nmdeploy.energy.counts import FloatLayer
from nmdeploy.simulator import simulate

SAMPLE = np.array([3, 1, 0], dtype=np.float32).reshape(1, 3, 1, 1)
TIMESTEPS = 4
FLOAT_LAYERS = (
    FloatLayer("hidden", True, 12, 12, 2, weights=14, inputs=3, outputs=4, kernel_positions=0),
    FloatLayer("out", True, 8, 8, 1, weights=9, inputs=4, outputs=2, kernel_positions=0),
)
CORE_A, CORE_B, CORE_C = (CoreAddress(0, 0, 0, slot) for slot in range(3))
NO_DEMANDS = Demands(*[0] * 11)


def network():
    w1 = np.array([[2, 1, -1], [1, -2, 4], [-1, 3, 2], [3, 0, 1]], dtype=np.int64).reshape(4, 3, 1, 1)
    w2 = np.array([[3, 1, 2, 0], [-2, 4, 1, 5]], dtype=np.int32).reshape(2, 4, 1, 1)
    populations = [
        _population("hidden", [0, 1, -1, 0], threshold=8, initial=4, start_step=0),
        _population("out", [1, 0], threshold=6, initial=3, start_step=1),
    ]
    projections = [Projection("dense", "hidden", "out", _dense(4, 2), w2, 0, 8, "mixed")]
    currents = (InputProjection("pixels", "hidden", _dense(3, 4), w1, 0, 0),)
    graph = build_graph(populations, projections)
    return ChipNetwork((3, 1, 1), TIMESTEPS, 0, 0, 2**23 - 1, 4095, 7, graph, currents)


def placement():
    """Neurons 0 and 1 of the first layer on core A, 2 and 3 on core B, the second layer on core C."""
    return Placement(
        (
            CoreRecord(CORE_A, (Tile("hidden", (0, 2), (0, 1), (0, 1)),), (CORE_C,), NO_DEMANDS),
            CoreRecord(CORE_B, (Tile("hidden", (2, 4), (0, 1), (0, 1)),), (CORE_C,), NO_DEMANDS),
            CoreRecord(CORE_C, (Tile("out", (0, 2), (0, 1), (0, 1)),), (), NO_DEMANDS),
        )
    )


def _dense(sources, targets):
    here = np.zeros((1, 1), dtype=np.int32)
    return Connectivity((sources, 1, 1), (targets, 1, 1), here, here, (0, sources), (0, targets))


def _population(name, bias, *, threshold, initial, start_step):
    mantissa = np.array(bias, dtype=np.int64).reshape(-1, 1, 1)
    return Population(
        name=name,
        shape=(len(bias), 1, 1),
        reset="subtract",
        threshold=np.full(len(bias), threshold),
        negative_threshold=None,
        bias_mantissa=mantissa,
        bias_exponent=np.zeros_like(mantissa),
        initial_potential=np.full(len(bias), initial),
        start_step=start_step,
        scale=np.ones(len(bias)),
        is_output=True,
    )


def counts():
    """Of one sample."""
    spikes = simulate(network(), SAMPLE).spike_counts
    return count_operations(
        network(), placement(), load_profile("loihi"), SAMPLE, spikes, float_layers=FLOAT_LAYERS
    )
