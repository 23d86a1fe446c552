"""Messages of a chip of crossbars: one for every spike of every column, to the axon that it drives."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hw_profiles.profile import Mesh
from mapping.crossbar_program import TO_HOST, Columns, CrossbarProgram
from mapping.mesh_positions import mesh_positions
from mapping.network import ChipNetwork
from mapping.placement import Placement
from nmdeploy.energy.message_counts import MessageCounts

IntArray = NDArray[np.int64]


def columns_by_neuron(network: ChipNetwork, columns: Columns) -> dict[str, IntArray]:
    """Columns of every neuron of the chip, by population: its copies.

    Returns
    -------
    dict of population name to int64 array, (channels, rows, columns)
        Ones for populations on the host.
    """
    copies: dict[str, IntArray] = {}
    for number, population in enumerate(network.populations):
        counted = np.ones(population.neuron_count, dtype=np.int64)
        if not population.on_host:
            counted = np.bincount(columns.neuron[columns.population == number], minlength=population.neuron_count)
        copies[population.name] = counted.astype(np.int64).reshape(population.shape)
    return copies


def column_messages(
    network: ChipNetwork,
    placement: Placement,
    program: CrossbarProgram,
    mesh: Mesh,
    spikes: Mapping[str, IntArray],
) -> MessageCounts:
    """Count messages and hops on dimension-ordered routes.

    What the host sends and receives is a message without hops: how it enters and leaves the mesh, no profile says.

    Parameters
    ----------
    network : ChipNetwork
    placement : Placement
    program : CrossbarProgram
    mesh : Mesh
    spikes : mapping of population name to int64 array, (channels, rows, columns)

    Returns
    -------
    MessageCounts
        Of the tiles of the placement, then of the populations on the host.
    """
    columns = program.columns
    names = [population.name for population in network.populations]
    sent = np.zeros(len(columns.core), dtype=np.int64)
    tile = np.zeros(len(columns.core), dtype=np.int64)
    tiles = [(number, one) for number, core in enumerate(placement.cores) for one in core.tiles]
    for number, name in enumerate(names):
        of_population = columns.population == number
        sent[of_population] = spikes[name].ravel()[columns.neuron[of_population]]
    for position, (core, one) in enumerate(tiles):
        first, stop = np.searchsorted(columns.core, [core, core + 1])
        held = np.arange(first, stop)
        held = held[columns.population[held] == names.index(one.population)]
        places = np.unravel_index(columns.neuron[held], network.population(one.population).shape)
        inside = np.ones(len(held), dtype=np.bool_)
        for place, (start, end) in zip(places, (one.channels, one.rows, one.columns), strict=True):
            inside &= (place >= start) & (place < end)
        tile[held[inside]] = position
    addresses = [core.address for core in placement.cores]
    positions = mesh_positions(addresses, mesh)
    chips = np.array([address.chip for address in addresses], dtype=np.int64)
    on_chip = columns.target_core != TO_HOST
    target = np.where(on_chip, columns.target_core, columns.core)

    def by_tile(amounts: IntArray) -> IntArray:
        sums = np.zeros(len(tiles), dtype=np.int64)
        np.add.at(sums, tile, amounts)
        return sums

    from_host = _sent_by_host(network, program, spikes)
    none = np.zeros(len(from_host), dtype=np.int64)
    leaves = ~on_chip | (chips[columns.core] != chips[target])
    hops_x = by_tile(sent * np.abs(positions.x[columns.core] - positions.x[target]))
    hops_y = by_tile(sent * np.abs(positions.y[columns.core] - positions.y[target]))
    return MessageCounts(
        messages=np.concatenate([by_tile(sent), from_host]),
        off_chip_messages=np.concatenate([by_tile(sent * leaves), from_host]),
        hops_x=np.concatenate([hops_x, none]),
        hops_y=np.concatenate([hops_y, none]),
    )


def _sent_by_host(network: ChipNetwork, program: CrossbarProgram, spikes: Mapping[str, IntArray]) -> IntArray:
    """Spikes times axons that they go to, of each population on the host."""
    axons = program.axons
    counts = {population.name: 0 for population in network.populations if population.on_host}
    for number, projection in enumerate(network.projections):
        if projection.source in counts:
            driven = axons.source_neuron[axons.projection == number]
            counts[projection.source] += int(spikes[projection.source].ravel()[driven].sum())
    return np.array(list(counts.values()), dtype=np.int64)
