"""How well an integer network follows the float network that it was made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork
from nmdeploy.convert.convert import agreement
from nmdeploy.decode import decode
from nmdeploy.simulator.simulate import Simulator

# What the potentials of all steps of the samples run at a time may take; only those of the last step are kept.
POTENTIALS_BYTES = 512 * 2**20


@dataclass(frozen=True)
class Judgement:
    """Of one network on held-out samples.

    Attributes
    ----------
    same : int
        Samples of the same decision as the float network; 0 where the outputs are maps, which decide nothing.
    error : float
        ``|decoded - reference| / |reference|`` (l2 over all outputs and samples).
    predictions : int64 array, (samples,)
        Largest output of each sample.
    spike_counts : dict of population name to integer array, (samples, neurons)
    """

    same: int
    error: float
    predictions: NDArray[np.int64] = field(repr=False)
    spike_counts: dict[str, NDArray[Any]] = field(repr=False)

    @property
    def rank(self) -> tuple[int, float]:
        """Smaller is better: decisions first, then the error, which orders close methods more finely."""
        return -self.same, self.error


def judge(network: ChipNetwork, samples: NDArray[np.float32], reference: NDArray[np.float32]) -> Judgement:
    """Run the samples.

    Parameters
    ----------
    network : ChipNetwork
    samples : float32 array, (samples, channels, rows, columns)
    reference : float32 array, (samples, outputs)
        Of the float network.
    """
    outputs = sum(population.neuron_count for population in network.outputs)
    count = max(1, POTENTIALS_BYTES // (outputs * network.timesteps * np.dtype(np.int64).itemsize))
    simulator, outputs_of_parts, spike_counts = Simulator(network), [], []
    for first in range(0, len(samples), count):
        result = simulator.run(samples[first : first + count])
        outputs_of_parts.append(decode(network, result.potentials))
        spike_counts.append(result.spike_counts)
    decoded = np.concatenate(outputs_of_parts)
    same, error = agreement(decoded, reference)
    decides = all(population.shape[1:] == (1, 1) for population in network.outputs)
    counts = {name: np.concatenate([part[name] for part in spike_counts]) for name in spike_counts[0]}
    return Judgement(same if decides else 0, error, decoded.argmax(axis=1), counts)
