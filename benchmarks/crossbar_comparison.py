"""A network on crossbars, run by our simulator and by RANC's, spike for spike.

Compared is what every column sends, copies apart, in the steps of its population's window, and what every axon takes in
from the host. Before their window neurons have no input and must be silent; what they send after it reaches nobody's
window.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.ranc_chip import RancRun, loaded_potentials, ranc_chip
from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.crossbar_program import TO_HOST, CrossbarProgram
from mapping.network import ChipNetwork, Population
from nmdeploy.simulator import simulate

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class CrossbarCase:
    """A placed network and samples for it.

    Attributes
    ----------
    name : str
    network : ChipNetwork
    program : CrossbarProgram
    core_count : int
    profile : CrossbarProfile
    samples : float32 array, (samples, channels, rows, columns)
        Preprocessed.
    """

    name: str
    network: ChipNetwork
    program: CrossbarProgram
    core_count: int
    profile: CrossbarProfile
    samples: NDArray[np.float32]


@dataclass(frozen=True)
class PopulationSpikes:
    """Spikes of a population, over all samples.

    Attributes
    ----------
    name : str
    neurons, columns : int
    spikes : int
        Of the neurons, in our simulator.
    column_spikes : int
        Of the columns, in RANC, within the window.
    different : int
        Columns x steps x samples in which one spikes and the other does not.
    early : int
        Spikes of RANC's columns before the window.
    """

    name: str
    neurons: int
    columns: int
    spikes: int
    column_spikes: int
    different: int
    early: int


@dataclass(frozen=True)
class CrossbarComparison:
    """Both runs beside each other.

    Attributes
    ----------
    case : CrossbarCase
    populations : list of PopulationSpikes
        Those on the chip.
    host_spikes : int
        Spikes that the host sent, times the axons that each drives.
    warnings : list of str
        RANC's.
    """

    case: CrossbarCase
    populations: list[PopulationSpikes]
    host_spikes: int
    warnings: list[str]

    def problems(self) -> list[str]:
        """All that should be equal and is not, in words."""
        found = [
            f"{one.name}: {one.different} spikes of columns differ, {one.early} come before the window"
            for one in self.populations
            if one.different or one.early
        ]
        return found + early_firing(self.case.network) + sorted(set(self.warnings))

    def table(self) -> list[str]:
        """Markdown lines."""
        network = self.case.network
        rows = [
            f"{self.case.name}, T = {network.timesteps}, {len(self.case.samples)} samples, "
            f"{self.case.core_count} cores, {len(self.case.program.columns.core):,} columns, "
            f"{len(self.case.program.axons.core):,} axons; {self.host_spikes:,} spikes sent by the host",
            "",
            "| population | neurons | columns | spikes, ours | spikes of columns, RANC | different | early |",
            "|---|---|---|---|---|---|---|",
        ]
        for one in self.populations:
            rows.append(
                f"| {one.name} | {one.neurons:,} | {one.columns:,} | {one.spikes:,} | {one.column_spikes:,} "
                f"| {one.different:,} | {one.early:,} |"
            )
        return rows


def compare_with_ranc(case: CrossbarCase, executable: Path) -> CrossbarComparison:
    """Run all samples in both, RANC from reset for each.

    Parameters
    ----------
    case : CrossbarCase
    executable : Path
        RANC's simulator.
    """
    network, program = case.network, case.program
    result = simulate(network, case.samples, record_spike_trains=True)
    if result.saturations:
        raise ValueError("potentials saturate, which RANC's do not")
    chip = ranc_chip(network, program, case.core_count, case.profile)
    end = max(population.start_step for population in network.populations) + network.timesteps
    steps = end + case.profile.number_formats.delay_max.value
    fired, warnings, sent_spikes = [], [], 0
    for sample in range(len(case.samples)):
        trains = {name: train[sample] for name, train in result.spike_trains.items()}
        sent = host_spikes(case, trains, steps)
        with tempfile.TemporaryDirectory() as folder:
            run = chip.run(executable, sent, Path(folder))
        fired.append(spikes_of_columns(program, run)[:end])
        warnings += run.warnings
        sent_spikes += int(sent.sum())
    of_columns = np.stack(fired)
    found = [
        _compared(case, number, population, result.spike_trains[population.name], of_columns)
        for number, population in enumerate(network.populations)
        if not population.on_host
    ]
    return CrossbarComparison(case, found, sent_spikes, warnings)


def host_spikes(case: CrossbarCase, trains: dict[str, NDArray[np.int8]], steps: int) -> BoolArray:
    """Spikes of one sample that the host sends into axons, by the step in which these take them in.

    Returns
    -------
    bool array, (steps, cores, axons)
    """
    network, axons = case.network, case.program.axons
    sent = np.zeros((steps, case.core_count, case.profile.crossbar.axons.value), dtype=np.bool_)
    for number, projection in enumerate(network.projections):
        source = network.population(projection.source)
        of_projection = np.flatnonzero(axons.projection == number)
        if not source.on_host or not len(of_projection):
            continue
        first = source.start_step + 1 + projection.delay
        spikes = trains[source.name][:, axons.source_neuron[of_projection]] != 0
        sent[first : first + len(spikes), axons.core[of_projection], axons.axon[of_projection]] = spikes
    return sent


def spikes_of_columns(program: CrossbarProgram, run: RancRun) -> BoolArray:
    """What each column sent in each step, read where it arrived: (steps, columns).

    The last steps are zeros where spikes of a column arrive after the end of the run.
    """
    columns = program.columns
    spikes = np.zeros((len(run.axons), len(columns.core)), dtype=np.bool_)
    onto_chip = columns.target_core != TO_HOST
    spikes[:, ~onto_chip] = run.host
    for delay in np.unique(columns.delay[onto_chip]).tolist():
        late = np.flatnonzero(onto_chip & (columns.delay == delay))
        spikes[: len(spikes) - delay, late] = run.axons[delay:, columns.target_core[late], columns.target_axon[late]]
    return spikes


def early_firing(network: ChipNetwork) -> list[str]:
    """Populations whose leaks alone, in the steps before their window, bring neurons to the threshold; in words.

    Their potential has to fall to its start, and no input comes yet.
    """
    found = []
    for population in network.populations:
        if population.on_host or not population.start_step:
            continue
        shape = population.shape
        after_first_step = loaded_potentials(population) + np.broadcast_to(population.bias, shape).ravel()
        threshold = np.broadcast_to(population.threshold[:, None, None], shape).ravel()
        count = int((after_first_step >= threshold).sum())
        if count:
            found.append(f"{population.name}: {count} neurons reach the threshold before their window by leak alone")
    return found


def _compared(
    case: CrossbarCase, number: int, population: Population, ours: NDArray[np.int8], of_columns: BoolArray
) -> PopulationSpikes:
    columns = np.flatnonzero(case.program.columns.population == number)
    start = population.start_step
    theirs = of_columns[:, start : start + case.network.timesteps, columns]
    expected = ours[:, :, case.program.columns.neuron[columns]] != 0
    return PopulationSpikes(
        name=population.name,
        neurons=population.neuron_count,
        columns=len(columns),
        spikes=int(ours.sum()),
        column_spikes=int(theirs.sum()),
        different=int((theirs != expected).sum()),
        early=int(of_columns[:, :start, columns].sum()),
    )
