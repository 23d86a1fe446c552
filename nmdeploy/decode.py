"""Membrane decoding: outputs of the trained network from the potentials of the accumulators."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork
from mapping.step_weights import elapsed_weight


def decode(
    network: ChipNetwork, potentials: NDArray[np.int64], timesteps: int, window: int | None = None
) -> NDArray[np.float64]:
    """``scale * v / T`` (Spiking-YOLO's decoding by membrane potential): no rounding to whole spikes.

    With refinement steps the sum of the weights of the steps takes the place of T.

    Parameters
    ----------
    network : ChipNetwork
    potentials : int64 array, (samples, outputs)
        After `timesteps` steps, output populations joined in C order.
    timesteps : int
    window : int, optional
        T of the run, if the potentials are those of an earlier step.

    Returns
    -------
    float64 array, (samples, outputs)
        In the units of the trained network.
    """
    weight = elapsed_weight(timesteps, timesteps if window is None else window, network.refinement_steps)
    scales = [
        np.broadcast_to(population.scale[:, None, None], population.shape).ravel() for population in network.outputs
    ]
    decoded: NDArray[np.float64] = potentials * np.concatenate(scales) / weight
    return decoded
