"""A user's Lava program around an artifact, run as a process of its own: what its ports and Vars give.

python own_program.py ARTIFACT DATA.npz GRANULARITY SAMPLES|INJECTED RESULT.npz
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.io.sink import RingBuffer as Sink
from lava.proc.io.source import RingBuffer as Source

import nmdeploy.lava
from mapping.tiles import Tile
from nmdeploy.artifact.artifact import read_artifact
from nmdeploy.lava.core_contents import PlacedTile

BATCH = {"samples": 2, "injected": 1}
LOST = 100_000


def held(program, population):
    """Process and tile of each part of a population."""
    if program.cores:
        return [(program.cores[address], placed) for address, placed in program.tiles[population.name]]
    whole = Tile(population.name, *((0, size) for size in population.shape))
    return [(program.populations[population.name], PlacedTile(whole, 0))]


def joined(parts, population, read):
    """(batch, channels, rows, columns) of a population from what is read of each of its processes."""
    whole = None
    for process, placed in parts:
        values = np.asarray(read(process))
        box = placed.view(values.reshape(len(values), -1)).transpose(0, 3, 1, 2)
        whole = np.zeros((len(values), *population.shape), np.int64) if whole is None else whole
        tile = placed.tile
        whole[:, slice(*tile.channels), slice(*tile.rows), slice(*tile.columns)] = box
    return whole


def inject(program, network, artifact, images, steps):
    """Send each sample's currents in the steps of its window, from a source for each process, and others in between."""
    for name, currents in nmdeploy.lava.input_currents(artifact, images).items():
        clock = program.clocks[name]
        for process, placed in held(program, network.population(name)):
            tile = placed.tile
            of_tile = currents[:, slice(*tile.rows), slice(*tile.columns), slice(*tile.channels)]
            schedule = np.full((1, int(np.prod(process.a_in.shape)), steps), LOST, dtype=np.int32)
            schedule[0, : placed.start] = schedule[0, placed.start + tile.neuron_count :] = 0
            for sample, current in enumerate(of_tile):
                start = clock.start_step + sample * clock.period_steps
                schedule[0, placed.start : placed.start + tile.neuron_count, start : start + clock.timesteps] = (
                    current.reshape(-1, 1)
                )
            source = Source(data=schedule.reshape(*process.a_in.shape, steps))
            source.s_out.connect(process.a_in)


def main(folder, data, granularity, feeding, result):
    with np.load(data) as file:
        images = file["x"]
    artifact = read_artifact(Path(folder))
    network, batch = artifact.network, BATCH[feeding]
    program = nmdeploy.lava.build(
        folder, granularity=granularity, samples=images if feeding == "samples" else None, batch=batch
    )
    windows = len(images) // batch
    steps = program.steps_for(windows)
    if feeding == "injected":
        inject(program, network, artifact, images, steps)
    populations = [network.populations[0], network.outputs[0]]
    parts = {population.name: held(program, population) for population in populations}
    sinks = {}
    for process, _ in (part for of_population in parts.values() for part in of_population):
        for port in (process.s_out, process.v_out):
            sinks[port] = Sink(shape=port.shape, buffer=steps)
            port.connect(sinks[port].a_in)

    first, done, results = program.processes[0], 0, {}
    for window in range(windows):
        until = program.steps_for(window + 1)
        first.run(RunSteps(until - done), Loihi2SimCfg(select_tag="fixed_pt"))
        done = until
        output = populations[1]
        results[f"potential {window}"] = joined(parts[output.name], output, lambda one: one.potential.get())
    for population in populations:
        of_population, name = parts[population.name], population.name
        clock = program.clocks[name]
        processes = {process for process, _ in of_population}
        totals = [[process.spikes.get()[0], process.saturations.get()[0]] for process in processes]
        results[f"totals {name}"] = np.sum(totals, axis=0)
        results[f"counts {name}"] = joined(of_population, population, lambda one: one.spike_counts.get())
        results[f"net {name}"] = joined(of_population, population, lambda one: one.net_spikes.get())
        for what in ("s_out", "v_out"):
            gathered = {process: sinks[getattr(process, what)].data.get() for process, _ in of_population}
            for window in range(windows):
                start = clock.firing_start_step + window * clock.period_steps
                of_steps = [
                    joined(of_population, population, {one: all_[..., now] for one, all_ in gathered.items()}.get)
                    for now in range(start, start + clock.timesteps)
                ]
                results[f"{what} {name} {window}"] = np.stack(of_steps, axis=1)
    np.savez(result, **results)
    first.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
    os._exit(0)  # some of Lava's threads do not end
