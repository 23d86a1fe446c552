"""Run samples through the integer network, population by population over the whole window.

Because `mapping.network` balances every path, the spikes of a source's step j meet the target's step j. A feed-forward
network can therefore be computed one population after the other, all steps of the window at once: one exact product
over time x samples, then the threshold recurrence over time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork
from nmdeploy.simulator.engine import Engine, SpikeTrain, neurons_last

EngineName = Literal["auto", "numpy", "torch"]
# Synaptic operations from which torch's speed is worth the seconds that importing it takes.
TORCH_OPERATIONS = 4_000_000_000


@dataclass(frozen=True)
class SimulationResult:
    """What a run of the integer network gave.

    Attributes
    ----------
    potentials : int64 array, (samples, timesteps, outputs)
        Membrane potentials of the output populations after each step, outputs joined in C order.
    spike_counts : dict of str to int64 array, (samples, neurons)
        Spikes of each population in one window, both signs counted, neurons in C order (channel, row, column).
    spike_trains : dict of str to int8 array, (samples, timesteps, neurons)
        Empty unless asked for.
    saturations : int
        How often a membrane potential was cut off, over all samples, neurons and steps.
    """

    potentials: NDArray[np.int64]
    spike_counts: dict[str, NDArray[np.int64]]
    spike_trains: dict[str, SpikeTrain]
    saturations: int


def simulate(
    network: ChipNetwork,
    samples: NDArray[np.float32],
    *,
    timesteps: int | None = None,
    record_spike_trains: bool = False,
    engine: EngineName = "auto",
    progress: Callable[[int], None] | None = None,
) -> SimulationResult:
    """Simulate a batch of samples.

    Parameters
    ----------
    network : ChipNetwork
        Feed-forward, with balanced delays.
    samples : float32 array, (samples, channels, rows, columns)
        Preprocessed.
    timesteps : int, optional
        Length of the window instead of the network's own.
    record_spike_trains : bool
        Keep every spike; needs memory for samples x timesteps x neurons bytes.
    engine : {"auto", "numpy", "torch"}
        What computes; the results are equal. "auto" takes torch for long runs, or where it is imported already.
    progress : callable, optional
        Called with the number of samples just finished.

    Raises
    ------
    DataFileError
        An input current does not fit the chip's bias field.
    """
    steps = network.timesteps if timesteps is None else timesteps
    chosen = _engine(network, steps, len(samples), engine)
    parts = []
    for start in range(0, len(samples), chosen.batch):
        parts.append(_window(chosen, samples[start : start + chosen.batch], record_spike_trains))
        if progress is not None:
            progress(min(chosen.batch, len(samples) - start))
    if not parts:
        parts.append(_window(Engine(network, steps), samples, record_spike_trains))
    return SimulationResult(
        potentials=np.concatenate([part.potentials for part in parts]),
        spike_counts=_joined([part.spike_counts for part in parts]),
        spike_trains=_joined([part.spike_trains for part in parts]),
        saturations=sum(part.saturations for part in parts),
    )


def _engine(network: ChipNetwork, steps: int, samples: int, name: EngineName) -> Engine:
    operations = steps * samples * sum(projection.connectivity.synapse_count for projection in network.projections)
    if name == "numpy" or (name == "auto" and operations < TORCH_OPERATIONS and "torch" not in sys.modules):
        return Engine(network, steps)
    from nmdeploy.simulator.torch_engine import TorchEngine  # torch takes seconds to import

    return TorchEngine(network, steps)


def _joined(parts: Sequence[Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _window(engine: Engine, samples: NDArray[np.float32], record: bool) -> SimulationResult:
    """One batch of samples over the whole window; spikes are kept only as long as a later population reads them."""
    trains: dict[str, SpikeTrain] = {}
    recorded: dict[str, SpikeTrain] = {}
    counts: dict[str, NDArray[np.int64]] = {}
    potentials: list[NDArray[np.int64]] = [np.zeros((len(samples), engine.steps, 0), dtype=np.int64)]
    saturations = 0
    waiting = dict(engine.network.graph.out_degree())
    for population in engine.network.populations:
        advanced = engine.advance(population, samples, trains)
        saturations += advanced.saturations
        counts[population.name] = advanced.counts
        potentials.append(advanced.potentials)
        if record:
            recorded[population.name] = np.stack([neurons_last(step) for step in advanced.spikes], axis=1)
        if waiting[population.name]:
            trains[population.name] = advanced.spikes
        for projection in engine.network.incoming(population.name):
            waiting[projection.source] -= 1
            if waiting[projection.source] == 0:
                del trains[projection.source]
    return SimulationResult(np.concatenate(potentials, axis=2), counts, recorded, saturations)
