"""A crossbar program as the input of RANC's simulator, a run of it, and the spikes that each column sent.

RANC (Mack et al. 2020) is an open emulation of the architecture: a core adds the weights of its active axons and the
leak to the potential, compares with ``>=``, and resets to a value or by subtraction. Potentials, weights, leaks and
thresholds are C ints, so their widths on a chip are not tested. Its router delivers at once, so that cores may lie
anywhere; ours lie in a square that leaves few places empty, with the output bus behind the last one.

Time: what the host sends in list s of "packets" with tick 0 is taken in in step s; what a neuron sends in step s with
tick d in step ``s + 1 + d``; line s + 1 of the output is what reached the output bus in step s.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from benchmarks.synapse_list import list_synapses
from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.axon_types import crossbar_entries
from mapping.crossbar_program import TO_HOST, CrossbarProgram
from mapping.network import ChipNetwork, Population

NEVER = -(2**31)
"""A negative threshold that no potential is below: without it, potentials are cut off at zero."""
RESET_MODES = {"zero": 0, "subtract": 1}
SCHEDULER_LINES = 1
"""Of the trace: the axons that each core reads in every step."""
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class RancRun:
    """What was sent in a run.

    Attributes
    ----------
    axons : bool array, (steps, cores, axons)
        What each core took in.
    host : bool array, (steps, columns that the host reads)
        In the order of the program.
    warnings : list of str
        RANC's own: spikes that met on one axon, or came too late.
    """

    axons: BoolArray
    host: BoolArray
    warnings: list[str]


@dataclass(frozen=True)
class RancChip:
    """A program as RANC reads it.

    Attributes
    ----------
    config : dict
        What becomes config.json.
    cores : list of dict
    output_bus : dict
    places : list of (int, int)
        Of each core of the placement, in RANC's grid.
    axon_count : int
    """

    config: dict[str, int]
    cores: list[dict[str, Any]]
    output_bus: dict[str, Any]
    places: list[tuple[int, int]]
    axon_count: int

    def run(self, executable: Path, sent: BoolArray, folder: Path) -> RancRun:
        """Run RANC from reset.

        Parameters
        ----------
        executable : Path
            RANC's simulator.
        sent : bool array, (steps, cores, axons)
            Spikes of the host, by the step in which they are taken in.
        folder : Path
            Must exist; for RANC's files.
        """
        steps = len(sent)
        packets: list[list[dict[str, Any]]] = [[] for _ in range(steps)]
        for step, core, axon in np.argwhere(sent).tolist():
            packets[step].append(
                {"destination_core": self.places[core], "destination_axon": axon, "destination_tick": 0}
            )
        (folder / "config.json").write_text(json.dumps(self.config))
        inputs = {"cores": self.cores, "output_bus": self.output_bus, "packets": packets}
        (folder / "input.json").write_text(json.dumps(inputs))
        names = ["input.json", "output.txt", "config.json", str(steps + 1), "--trace", "trace.txt"]
        ended = subprocess.run([executable.resolve(), *names], cwd=folder, capture_output=True, text=True)
        if ended.returncode or "[ERROR]" in ended.stdout:
            raise ValueError(f"RANC ended with {ended.returncode}: {ended.stdout[-500:]}{ended.stderr[-500:]}")
        lines = (folder / "output.txt").read_text().splitlines()
        host = np.array([[bit == "1" for bit in line.split()] for line in lines[1:]], dtype=np.bool_)
        warnings = [line[line.index("[WARNING]") :] for line in ended.stdout.splitlines() if "[WARNING]" in line]
        return RancRun(self._axons(folder / "trace.txt", steps), host.reshape(steps, -1), warnings)

    def _axons(self, trace: Path, steps: int) -> BoolArray:
        """Read the schedulers' lines, which come core by core in every step."""
        number = {place: core for core, place in enumerate(self.places)}
        seen = np.zeros(len(self.places), dtype=np.int64)
        axons = np.zeros((steps, len(self.places), self.axon_count), dtype=np.bool_)
        with trace.open() as lines:
            for line in lines:
                if "Current line: " not in line:
                    continue
                x, y = line[line.index("(") + 1 : line.index(")")].split(",")
                core = number.get((int(x), int(y)))
                if core is not None and seen[core] < steps:
                    bits = line.rsplit(" ", 1)[1].strip()
                    axons[seen[core], core] = np.frombuffer(bits.encode(), dtype=np.uint8) == ord("1")
                    seen[core] += 1
        return axons


def ranc_chip(network: ChipNetwork, program: CrossbarProgram, core_count: int, profile: CrossbarProfile) -> RancChip:
    """Write a program for RANC.

    Parameters
    ----------
    network : ChipNetwork
    program : CrossbarProgram
    core_count : int
        Of the placement.
    profile : CrossbarProfile

    Raises
    ------
    ValueError
        A delay is longer than RANC's schedulers hold, or two synapses would take one entry of a crossbar.
    """
    columns, axons = program.columns, program.axons
    offset_max = profile.number_formats.delay_max.value + 1
    onto_chip = columns.target_core != TO_HOST
    if (columns.delay[onto_chip] >= offset_max).any() or (columns.delay[onto_chip] < 1).any():
        raise ValueError(f"delays run from 1 to {offset_max - 1} steps, and a column has another one")
    width = ceil(sqrt(core_count + 1))
    height = ceil((core_count + 1) / width)
    places = [(core % width, core // width) for core in range(core_count)]
    bus = core_count % width, core_count // width
    targets = [bus if core == TO_HOST else places[core] for core in columns.target_core.tolist()]
    host_axon = np.cumsum(~onto_chip) - 1
    target_axons = np.where(onto_chip, columns.target_axon, host_axon).tolist()
    ticks = np.where(onto_chip, columns.delay - 1, 0).tolist()
    numbers = _numbers_of_columns(network, program)
    entries = _crossbars(network, program, core_count, profile)
    cores = []
    for core, (x, y) in enumerate(places):
        of_core = np.flatnonzero(columns.core == core).tolist()
        types = np.zeros(profile.crossbar.axons.value, dtype=np.int64)
        types[axons.axon[axons.core == core]] = axons.axon_type[axons.core == core]
        neurons = [
            {
                **numbers[column],
                "destination_core_offset": [targets[column][0] - x, targets[column][1] - y],
                "destination_axon": target_axons[column],
                "destination_tick": ticks[column],
            }
            for column in of_core
        ]
        connections = entries[core][columns.column[of_core]].astype(np.int64).tolist()
        cores.append({"coordinates": [x, y], "axons": types.tolist(), "neurons": neurons, "connections": connections})
    config = {
        "num_neurons": profile.crossbar.neurons.value,
        "num_axons": profile.crossbar.axons.value,
        "num_cores_x": width,
        "num_cores_y": height,
        "num_weights": profile.crossbar.axon_types.value,
        "max_tick_offset": offset_max,
        "neuron_block_trace_verbosity": 0,
        "core_controller_trace_verbosity": 0,
        "scheduler_trace_verbosity": SCHEDULER_LINES,
        "neuron_reset_type": 0,
    }
    output_bus = {"coordinates": bus, "num_outputs": int((~onto_chip).sum())}
    return RancChip(config, cores, output_bus, places, profile.crossbar.axons.value)


def loaded_potentials(population: Population) -> IntArray:
    """What neurons start from, so that the leaks of the steps before their window bring them to their own start.

    Returns
    -------
    int64 array, (neurons,)
        In C order.
    """
    initial = population.initial_potential[:, None, None] - population.start_step * population.bias
    return np.broadcast_to(initial, population.shape).ravel()


def _numbers_of_columns(network: ChipNetwork, program: CrossbarProgram) -> list[dict[str, Any]]:
    columns = program.columns
    loaded, leaks = [], []
    for population in network.populations:
        loaded.append(loaded_potentials(population).tolist())
        leaks.append(np.broadcast_to(population.bias, population.shape).ravel().tolist())
    numbers = []
    for number, neuron in zip(columns.population.tolist(), columns.neuron.tolist(), strict=True):
        population = network.populations[number]
        _, rows, width = population.shape
        channel = neuron // (rows * width)
        assert population.type_weights is not None
        numbers.append(
            {
                "weights": population.type_weights[channel].tolist(),
                "leak": leaks[number][neuron],
                "current_potential": loaded[number][neuron],
                "positive_threshold": int(population.threshold[channel]),
                "negative_threshold": NEVER,
                "reset_mode": RESET_MODES[population.reset],
                "reset_potential": 0,
            }
        )
    return numbers


def _crossbars(
    network: ChipNetwork, program: CrossbarProgram, core_count: int, profile: CrossbarProfile
) -> list[NDArray[np.bool_]]:
    """Entries of every core, (columns, axons)."""
    columns, axons = program.columns, program.axons
    shape = profile.crossbar.neurons.value, profile.crossbar.axons.value
    crossbars = [np.zeros(shape, dtype=np.bool_) for _ in range(core_count)]
    number_of = {population.name: number for number, population in enumerate(network.populations)}
    for number, projection in enumerate(network.projections):
        target = network.population(projection.target)
        if target.on_host:
            continue
        assert target.type_weights is not None
        start, stop = projection.connectivity.target_channels
        entries = crossbar_entries(projection.axon_types, target.type_weights[start:stop], projection.weights)
        for copy in range(len(projection.axon_types)):
            of_copy = (axons.projection == number) & (axons.copy == copy)
            by_target = _entries_of_copy(projection.name, list_synapses(projection.connectivity, entries[..., copy]),
                                         target.neuron_count, projection.connectivity.source_shape)  # fmt: skip
            for core in np.unique(axons.core[of_copy]).tolist():
                rows = np.flatnonzero((columns.core == core) & (columns.population == number_of[projection.target]))
                lines = np.flatnonzero(of_copy & (axons.core == core))
                part = by_target[columns.neuron[rows]][:, axons.source_neuron[lines]].toarray() > 0
                crossbars[core][np.ix_(columns.column[rows], axons.axon[lines])] = part
    return crossbars


def _entries_of_copy(
    name: str, synapses: tuple[IntArray, IntArray, IntArray], target_count: int, source_shape: tuple[int, int, int]
) -> csr_array:
    source, target, entry = synapses
    shape = target_count, int(np.prod(source_shape))
    if len(np.unique(target * shape[1] + source)) < len(source):
        raise ValueError(f"{name}: a neuron reads another one by several taps, for which a crossbar has one entry")
    return csr_array((entry, (target, source)), shape=shape)
