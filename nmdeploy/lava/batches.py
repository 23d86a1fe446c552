"""Samples laid out side by side (the ports' batch axis) and back to back (windows in time)."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork
from mapping.placement import Placement
from nmdeploy.errors import BackendError
from nmdeploy.lava.job import SHARED_MEMORY
from nmdeploy.simulator.input_current import constant_current

BATCH_MAX = 64


@dataclass(frozen=True)
class Batches:
    """How many samples run side by side, and how many such batches follow each other.

    Attributes
    ----------
    samples, batch, windows : int
        ``batch * windows >= samples``; the places beyond the samples are padding.
    """

    samples: int
    batch: int
    windows: int

    @staticmethod
    def of(samples: int, batch: int) -> Batches:
        """Fewest windows of at most `batch` samples, with as little padding as these allow."""
        windows = -(-samples // batch)
        return Batches(samples, -(-samples // windows), windows)


def default_batch(network: ChipNetwork, placement: Placement | None = None) -> int:
    """Samples side by side that fit the shared memory in which Lava's channels lie.

    Parameters
    ----------
    network : ChipNetwork
    placement : Placement, optional
        If one process runs for each of its cores.

    Raises
    ------
    BackendError
        Not even one sample fits.
    """
    if not SHARED_MEMORY.is_dir():
        return BATCH_MAX
    per_sample = _layer_bytes(network) if placement is None else _core_bytes(placement)
    free = shutil.disk_usage(SHARED_MEMORY).free
    fitting = free // 2 // max(per_sample, 1)
    if fitting < 1:
        raise BackendError(
            f"Lava needs {per_sample:,} bytes of shared memory for one sample; {SHARED_MEMORY} has {free:,} "
            "free, half of which may be used. Give the machine or container more (docker run --shm-size), or "
            "use the simulator."
        )
    return min(BATCH_MAX, int(fitting))


def _layer_bytes(network: ChipNetwork) -> int:
    """Spikes into and currents out of each projection, for one sample."""
    return sum(
        network.population(projection.source).neuron_count
        + network.population(projection.target).neuron_count * np.dtype(np.int32).itemsize
        for projection in network.projections
    )


def _core_bytes(placement: Placement) -> int:
    """Spikes from each core to each of its targets, for one sample."""
    return sum(
        len(core.targets) * sum(tile.neuron_count for tile in core.tiles) for core in placement.cores
    )


def window_currents(
    network: ChipNetwork, samples: NDArray[np.float32], batches: Batches
) -> dict[str, NDArray[np.int64]]:
    """Bias and input current of each population in each window.

    Parameters
    ----------
    network : ChipNetwork
    samples : float32 array, (samples, channels, rows, columns)
        Preprocessed.
    batches : Batches

    Returns
    -------
    dict of str to integer array, (windows, batch or 1, rows, columns, channels)
        By population. Padding places receive no current.

    Raises
    ------
    DataFileError
        A sample is so large that its current does not fit the chip's bias field.
    """
    currents = {}
    for population in network.populations:
        channels, rows, columns = population.shape
        if not any(network.input_currents(population.name)):
            bias = constant_current(network, population, samples[:0])
            currents[population.name] = np.broadcast_to(bias, (batches.windows, 1, rows, columns, channels))
            continue
        places = np.zeros((batches.windows * batches.batch, rows, columns, channels), dtype=np.int64)
        for start in range(0, batches.samples, batches.batch):
            part = samples[start : start + batches.batch]
            places[start : start + len(part)] = constant_current(network, population, part)
        currents[population.name] = places.reshape(batches.windows, batches.batch, rows, columns, channels)
    return currents
