"""A placed network as arrays from which a process without nmdeploy maps it neuron by neuron onto one chip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.mapped_case import MappedCase
from benchmarks.synapse_list import list_synapses
from mapping.network import Population
from mapping.placement import CoreAddress
from nmdeploy.simulator.input_current import constant_current

NEVER = 1e18
IntArray = NDArray[np.int64]


def core_number(address: CoreAddress, case: MappedCase) -> int:
    """Number of a core where tiles are numbered down the columns of the mesh, and cores tile by tile."""
    mesh = case.profile.mesh
    tile = address.x * mesh.routers_y.value + address.y
    return tile * mesh.cores_per_router.value + address.slot


def write_sanafe_network(case: MappedCase, folder: Path) -> None:
    """Write network.npz, which `benchmarks.sanafe_contestant` reads.

    Parameters
    ----------
    case : MappedCase
        On one chip; populations with reset by subtraction, and accumulators; no extra delays.
    folder : Path
        Must exist.
    """
    network = case.network
    if case.placement.chip_count != 1:
        raise ValueError("the network is on more than one chip")
    if network.gap_steps:
        raise ValueError("samples do not follow each other without a gap")
    arrays: dict[str, Any] = {
        "timesteps": network.timesteps,
        "samples": len(case.samples),
        "populations": np.array([population.name for population in network.populations]),
        "projections": np.array([projection.name for projection in network.projections]),
    }
    for population in network.populations:
        arrays |= {f"{population.name}/{what}": array for what, array in _neurons(case, population).items()}
    for projection in network.projections:
        if projection.delay or network.lag(projection):
            raise ValueError(f"{projection.name} has a delay")
        source, target, weights = list_synapses(projection.connectivity, projection.weights)
        arrays[f"{projection.name}/ends"] = np.array([projection.source, projection.target])
        arrays[f"{projection.name}/pairs"] = np.stack([source, target], axis=1)
        arrays[f"{projection.name}/weights"] = weights << network.shift(projection)
    np.savez(folder / "network.npz", **arrays)


def cores_of_neurons(case: MappedCase, population: Population) -> IntArray:
    """Core number of each neuron, in C order."""
    cores = np.full(population.shape, -1, dtype=np.int64)
    for record in case.placement.cores:
        for tile in record.tiles:
            if tile.population == population.name:
                box = tuple(slice(*interval) for interval in (tile.channels, tile.rows, tile.columns))
                cores[box] = core_number(record.address, case)
    return cores.ravel()


def _neurons(case: MappedCase, population: Population) -> dict[str, Any]:
    """What the neurons of a population are set to.

    SANA-FE fires where the potential is above the threshold, ours where it reaches it: one unit more to begin with,
    which reset by subtraction keeps, makes them the same.
    """
    if population.model != "if" or population.reset == "zero":
        raise ValueError(f"{population.name} has other neurons than integrate-and-fire with reset by subtraction")
    _, rows, columns = population.shape
    fires = population.reset == "subtract"
    current = constant_current(case.network, population, case.samples).transpose(0, 3, 1, 2)
    return {
        "core": cores_of_neurons(case, population),
        "start_step": population.start_step,
        "threshold": np.repeat(population.threshold if fires else np.full(population.shape[0], NEVER), rows * columns),
        "initial_potential": np.repeat(population.initial_potential + 1, rows * columns),
        "current": np.broadcast_to(current, (len(case.samples), *population.shape)).reshape(len(case.samples), -1),
    }
