"""Granularity "core": a Lava process for each used core of a placement, connected by the spikes they send."""

from __future__ import annotations

from collections.abc import Mapping

from mapping.network import ChipNetwork
from mapping.placement import Placement
from nmdeploy.lava.core_contents import core_contents, route_count
from nmdeploy.lava.emit_layers import Currents, window_clocks
from nmdeploy.lava.host_core import with_host
from nmdeploy.lava.integer_range import populations_of_64_bits
from nmdeploy.lava.machine_limits import Needs, require_machine
from nmdeploy.lava.processes.core import Core
from nmdeploy.lava.program import LavaProgram
from nmdeploy.lava.recording import Recording
from nmdeploy.lava.tile_neurons import tile_neurons


def emit_cores(
    network: ChipNetwork,
    currents: Currents,
    *,
    placement: Placement,
    batch: int,
    windows: int | None,
    timesteps: int | None = None,
    recordings: Mapping[str, Recording] | None = None,
) -> LavaProgram:
    """As `nmdeploy.lava.emit_layers.emit_layers`, with one process for each core of a placement.

    A core holds its own neurons and the synapses into them. It is connected from every core that holds a source
    neuron of one of these synapses. What the host computes is one process more.

    Raises
    ------
    BackendError
        A current could exceed the 32 bits of Lava's messages, a product 64 bits, the placement does not hold every
        neuron once, or this machine cannot hold so many processes.
    """
    of_64_bits = populations_of_64_bits(network, currents, timesteps)
    placement = with_host(network, placement)
    contents = core_contents(network, placement)
    require_machine(
        Needs(len(contents), route_count(contents)),
        f"Granularity layer takes {len(network.populations) + len(network.projections)} processes.",
    )
    clocks = window_clocks(network, windows, timesteps)
    addresses = [record.address for record in placement.cores]
    tiles = {
        name: tuple(
            (address, placed)
            for address, content in zip(addresses, contents, strict=True)
            for placed in content.tiles
            if placed.tile.population == name
        )
        for name in clocks
    }
    created = {name: recording.create(len(tiles[name])) for name, recording in (recordings or {}).items()}
    cores = {}
    for address, content in zip(addresses, contents, strict=True):
        neurons = []
        for placed in content.tiles:
            name = placed.tile.population
            recording = (created[name], tiles[name].index((address, placed))) if created else None
            neurons.append(tile_neurons(network, placed, clocks[name], currents[name], recording))
        senders = {core: contents[core].neuron_count for core in content.senders}
        wide = any(placed.tile.population in of_64_bits for placed in content.tiles)
        cores[address] = Core(
            name=str(address), neurons=neurons, synapses=content.synapses, senders=senders, batch=batch, wide=wide
        )
    for address, content in zip(addresses, contents, strict=True):
        for sender in content.senders:
            cores[addresses[sender]].s_out.connect(cores[address].in_port(sender))
    return LavaProgram(clocks, cores=cores, tiles=tiles)
