"""A network of six neurons small enough to compute by hand.

W1 x of the first layer is the constant current [7, 2, -1, 9]; W2 = [[3, 1, 2, 0],
[-2, 4, 1, 5]], b2 = [1, 0]; thresholds 8 and 6, initial potentials 4 and 3, reset by subtraction, 4 steps.
"""

from __future__ import annotations

import numpy as np

from mapping.connectivity import Connectivity
from mapping.network import ChipNetwork, Population, Projection, build_graph

SPIKES_1 = [[1, 0, 0, 1], [1, 1, 0, 1], [1, 0, 0, 1], [1, 0, 0, 1]]
SPIKES_2 = [[1, 1], [1, 1], [0, 0], [1, 1]]
FINAL_1, FINAL_2 = [0, 4, 0, 8], [2, 1]


def worked_example(timesteps=4):
    weights = np.array([[3, 1, 2, 0], [-2, 4, 1, 5]], dtype=np.int32).reshape(2, 4, 1, 1)
    here = np.zeros((1, 1), dtype=np.int32)
    dense = Connectivity((4, 1, 1), (2, 1, 1), here, here, (0, 4), (0, 2))
    populations = [
        _population("hidden", [7, 2, -1, 9], threshold=8, initial=4, start_step=0),
        _population("out", [1, 0], threshold=6, initial=3, start_step=1),
    ]
    graph = build_graph(populations, [Projection("dense", "hidden", "out", dense, weights, 0, 8, "mixed")])
    return ChipNetwork((1, 1, 1), timesteps, 0, 6, 2**23 - 1, 4095, 7, graph)


def _population(name, bias, *, threshold, initial, start_step):
    count = len(bias)
    mantissa = np.array(bias, dtype=np.int64).reshape(count, 1, 1)
    return Population(
        name=name,
        shape=(count, 1, 1),
        reset="subtract",
        threshold=np.full(count, threshold),
        negative_threshold=None,
        bias_mantissa=mantissa,
        bias_exponent=np.zeros_like(mantissa),
        initial_potential=np.full(count, initial),
        start_step=start_step,
        scale=np.ones(count),
        is_output=True,
    )
