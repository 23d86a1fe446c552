"""Granularity "core": a Lava process for each used core of a placement, connected by the spikes they send."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from mapping.network import ChipNetwork
from mapping.placement import Placement
from nmdeploy.lava.core_contents import core_contents
from nmdeploy.lava.emit_layers import Currents, require_int32, window_clocks
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
    neuron of one of these synapses.

    Raises
    ------
    BackendError
        A sum could exceed the 32 bits of Lava's messages; the placement does not hold every neuron once.
    """
    require_int32(network, currents)
    contents = core_contents(network, placement)
    clocks = window_clocks(network, windows, timesteps)
    parts = Counter(placed.tile.population for content in contents for placed in content.tiles)
    created = {name: recording.create(parts[name]) for name, recording in (recordings or {}).items()}
    seen: Counter[str] = Counter()
    cores = []
    for content, record in zip(contents, placement.cores, strict=True):
        neurons = []
        for placed in content.tiles:
            name = placed.tile.population
            recording = (created[name], seen[name]) if created else None
            seen[name] += 1
            neurons.append(
                tile_neurons(
                    network.population(name), placed, clocks[name], currents[name], network.state_max, recording
                )
            )
        senders = {core: contents[core].neuron_count for core in content.senders}
        cores.append(
            Core(
                name=str(record.address),
                neurons=neurons,
                synapses=content.synapses,
                senders=senders,
                batch=batch,
            )
        )
    for content, core in zip(contents, cores, strict=True):
        for sender in content.senders:
            cores[sender].s_out.connect(core.in_port(sender))
    addresses = (record.address for record in placement.cores)
    return LavaProgram(clocks, cores=dict(zip(addresses, cores, strict=True)))
