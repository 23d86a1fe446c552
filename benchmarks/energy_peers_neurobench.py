"""Synaptic operations of a spiking network beside NeuroBench's, on the same network, spikes and data."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.contestant import Contestant
from benchmarks.mapped_case import MappedCase
from benchmarks.neurobench_layers import write_layers
from mapping.connectivity import Connectivity
from mapping.tiles import Tile
from nmdeploy.energy.operations import synaptic_operations


@dataclass(frozen=True)
class NeurobenchCounts:
    """Counts over all samples and steps, under NeuroBench's names but for `acs_of_all_weights`.

    Attributes
    ----------
    spikes : int
    effective_acs : int
        Of layers whose input is all -1, 0 and 1 in a step; inputs and weights of zero left out.
    effective_macs : int
        Of the other layers.
    dense : int
        Every synapse in every step, padding that is part of a convolution left out.
    acs_of_all_weights : int
        `effective_acs` if no weight were zero.
    """

    spikes: int
    effective_acs: int
    effective_macs: int
    dense: int
    acs_of_all_weights: int


@dataclass(frozen=True)
class NeurobenchRun:
    """What NeuroBench counts.

    Attributes
    ----------
    counts : NeurobenchCounts
    padded : NeurobenchCounts
        The same with padding as an operation of its own before each convolution.
    different_spikes, different_potentials : int
        Spikes that only one of the two has, and outputs with another potential after the last step.
    """

    counts: NeurobenchCounts
    padded: NeurobenchCounts
    different_spikes: int
    different_potentials: int

    def problems(self, case: MappedCase) -> list[str]:
        """All that should be equal and is not, in words."""
        found = [f"{self.different_spikes} spikes differ"] if self.different_spikes else []
        found += [f"{self.different_potentials} outputs differ"] if self.different_potentials else []
        for what, ours, theirs in (
            ("", our_counts(case), self.counts),
            ("with padding apart: ", our_counts(case, padding_counts=True), self.padded),
        ):
            found += [
                f"{what}{name}: {count} here, {getattr(theirs, name)} there"
                for name, count in asdict(ours).items()
                if count != getattr(theirs, name)
            ]
        return found


def our_counts(case: MappedCase, *, padding_counts: bool = False) -> NeurobenchCounts:
    """Our counts put together as NeuroBench does.

    Parameters
    ----------
    case : MappedCase
    padding_counts : bool
        Whether taps in the padding count as synapses in `dense`.
    """
    network, tiles = case.network, case.counts.tiles
    layers = [*network.projections, *network.input_projections]
    synapses = sum(_taps(one.connectivity) if padding_counts else one.connectivity.synapse_count for one in layers)
    input_effective = sum(tile.input_mac_effective_every_step for tile in tiles)
    binary_input = bool(np.isin(case.samples, (-1, 0, 1)).all())
    return NeurobenchCounts(
        spikes=sum(tile.spikes for tile in tiles),
        effective_acs=sum(tile.ac_effective for tile in tiles) + (input_effective if binary_input else 0),
        effective_macs=0 if binary_input else input_effective,
        dense=synapses * network.timesteps * len(case.samples),
        acs_of_all_weights=sum(tile.ac_dense for tile in tiles) + (_synapses_of_inputs(case) if binary_input else 0),
    )


def _taps(connectivity: Connectivity) -> int:
    """Synapses, and those from the padding."""
    outputs, per_group, row_taps, column_taps = connectivity.weight_shape
    _, rows, columns = connectivity.target_shape
    return outputs * per_group * rows * row_taps * columns * column_taps


def _synapses_of_inputs(case: MappedCase) -> int:
    """Synapses that inputs other than zero meet, whatever their weight, in all steps."""
    nonzero = np.count_nonzero(case.samples, axis=0) * case.network.timesteps
    total = 0
    for current in case.network.input_projections:
        whole = _whole_map(case, current.target)
        total += synaptic_operations(current.connectivity, current.weights, whole, nonzero).dense
    return total


def run_neurobench(case: MappedCase, python: str, threads: int) -> NeurobenchRun:
    """Let NeuroBench count on a case."""
    with tempfile.TemporaryDirectory() as folder:
        write_layers(case, Path(folder))
        with Contestant(python, threads, "benchmarks.neurobench_contestant", folder) as contestant:
            padded = NeurobenchCounts(**contestant.ask(explicit_padding=True))
            counts = NeurobenchCounts(**contestant.ask(explicit_padding=False))
        with np.load(Path(folder) / "ran.npz") as ran:
            different_spikes = sum(int((ran[name] != train).sum()) for name, train in case.spike_trains.items())
            different_potentials = int((ran["potentials"] != case.potentials).sum())
    return NeurobenchRun(counts, padded, different_spikes, different_potentials)


def neurobench_table(case: MappedCase, run: NeurobenchRun) -> list[str]:
    """Markdown lines: counts of all samples together."""
    rows = [
        f"{case.name}, T = {case.network.timesteps}, {len(case.samples)} samples; spikes that differ: "
        f"{run.different_spikes}, outputs that differ: {run.different_potentials}",
        "",
        "| count | ours | NeuroBench |",
        "|---|---|---|",
    ]
    for name, count in asdict(our_counts(case)).items():
        rows.append(f"| {name} | {count:,} | {getattr(run.counts, name):,} |")
    padded = our_counts(case, padding_counts=True).dense
    rows.append(f"| dense, padding apart | {padded:,} | {run.padded.dense:,} |")
    rows += ["", f"{_one_to_one_operations(case):,} of the accumulates are of one-to-one synapses, such as shortcuts."]
    return rows


def _one_to_one_operations(case: MappedCase) -> int:
    """Accumulates of projections in which each neuron reads one other."""
    total = 0
    for projection in case.network.projections:
        if projection.weights[0].size == 1:
            train = case.spike_trains[projection.source].sum(axis=(0, 1), dtype=np.int64)
            events = train.reshape(projection.connectivity.source_shape)
            whole = _whole_map(case, projection.target)
            total += synaptic_operations(projection.connectivity, projection.weights, whole, events).effective
    return total


def _whole_map(case: MappedCase, population: str) -> Tile:
    channels, rows, columns = case.network.population(population).shape
    return Tile(population, (0, channels), (0, rows), (0, columns))
