"""Membrane decoding: outputs of the trained network from the potentials of the accumulators."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork


def decode(network: ChipNetwork, potentials: NDArray[np.int64], timesteps: int) -> NDArray[np.float64]:
    """``scale * v / T`` (Spiking-YOLO's decoding by membrane potential): no rounding to whole spikes.

    Parameters
    ----------
    network : ChipNetwork
    potentials : int64 array, (samples, outputs)
        After `timesteps` steps, output populations joined in C order.
    timesteps : int

    Returns
    -------
    float64 array, (samples, outputs)
        In the units of the trained network.
    """
    scales = [
        np.broadcast_to(population.scale[:, None, None], population.shape).ravel() for population in network.outputs
    ]
    decoded: NDArray[np.float64] = potentials * np.concatenate(scales) / timesteps
    return decoded
