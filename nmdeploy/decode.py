"""Membrane decoding: outputs of the trained network from the potentials of the accumulators."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork
from mapping.step_weights import elapsed_weight


def decode(
    network: ChipNetwork, potentials: NDArray[np.int64], window: int | None = None
) -> NDArray[np.float64]:
    """``scale * v / T`` (Spiking-YOLO's decoding by membrane potential): no rounding to whole spikes.

    With a delayed read-out, what came in before `ChipNetwork.read_out_step` is taken away, unless the steps given end
    there. With refinement steps the sum of the weights of the steps takes the place of T.

    Parameters
    ----------
    network : ChipNetwork
    potentials : int64 array, (samples, steps, outputs)
        After every step up to that of the read-out, output populations joined in C order.
    window : int, optional
        T of the run, if it is longer than the steps given.

    Returns
    -------
    float64 array, (samples, outputs)
        In the units of the trained network.
    """
    steps = potentials.shape[1]
    whole = steps if window is None else window
    begin = network.read_out_step if network.read_out_step < steps else 0
    collected = potentials[:, -1] - potentials[:, begin - 1] if begin else potentials[:, -1]
    weight = elapsed_weight(steps, whole, network.refinement_steps)
    weight -= elapsed_weight(begin, whole, network.refinement_steps)
    scales = [
        np.broadcast_to(population.scale[:, None, None], population.shape).ravel() for population in network.outputs
    ]
    decoded: NDArray[np.float64] = collected * np.concatenate(scales) / weight
    return decoded
