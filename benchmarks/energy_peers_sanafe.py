"""Events and joules of a mapped network beside SANA-FE's, which runs it on its own description of Loihi."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.chip_events import ChipEvents, hops, messages_of_neurons, our_events
from benchmarks.contestant import Contestant
from benchmarks.mapped_case import MappedCase
from benchmarks.sanafe_network import core_number, write_sanafe_network
from hw_profiles.energy import energy_presets
from mapping.route_metrics import route_metrics
from nmdeploy.energy.report import EnergyReport

IntArray = NDArray[np.int64]
ENERGY_TOLERANCE = 1e-9
"""Of SANA-FE's energies, which are sums of floats, relative to its counts times its constants."""


@dataclass(frozen=True)
class SanafeRun:
    """What SANA-FE did.

    Attributes
    ----------
    events : ChipEvents
        Its neurons are accessed in every step of the run, also in those in which the first layers have ended or the
        last ones not yet begun. It does not report these accesses, but their energy with that of the updates.
    effective_synapse : int
        Its synaptic operations without synapses of weight zero.
    update_where_active : int
        Its updates if neurons without potential, input and bias are left out.
    different_spikes : int
        Spikes that only one of the two has.
    different_core_messages, different_core_operations : int
        Pairs of cores with another number of messages, and cores with another number of synaptic operations, than ours.
    steps : int
    constants_pj, energies_pj : dict of str to float
        Its constants by event; the energies that it reports, by part of the chip.
    """

    events: ChipEvents
    effective_synapse: int
    update_where_active: int
    different_spikes: int
    different_core_messages: int
    different_core_operations: int
    steps: int
    constants_pj: dict[str, float]
    energies_pj: dict[str, float]

    def problems(self, case: MappedCase) -> list[str]:
        """All that should be equal and is not, in words."""
        ours, theirs = (asdict(events) for events in (our_events(case), self.events))
        pairs = {
            **{name: (count, theirs[name]) for name, count in ours.items() if name != "neuron_access"},
            "effective_synapse": (sum(tile.ac_effective for tile in case.counts.tiles), self.effective_synapse),
            "different spikes": (0, self.different_spikes),
            "pairs of cores with other messages": (0, self.different_core_messages),
            "cores with other operations": (0, self.different_core_operations),
        }
        found = [f"{name}: {our} here, {their} there" for name, (our, their) in pairs.items() if our != their]
        expected = self.events.energies_pj(self.constants_pj)
        parts = {
            "synapse": expected["synapse"],
            "soma": expected["neuron_access"] + expected["neuron_update"] + expected["spike"],
            "network": expected["message"] + expected["hop_x"] + expected["hop_y"],
            "dendrite": 0.0,
            "total": sum(expected.values()),
        }
        return found + [
            f"{part}: {energy} pJ by counts, {self.energies_pj[part]} pJ reported"
            for part, energy in parts.items()
            if abs(energy - self.energies_pj[part]) > ENERGY_TOLERANCE * energy
        ]


def run_sanafe(case: MappedCase, python: str, threads: int) -> SanafeRun:
    """Run a case three times: as it is, without synapses of weight zero, and without updates of idle neurons."""
    with tempfile.TemporaryDirectory() as folder:
        write_sanafe_network(case, Path(folder))
        with Contestant(python, threads, "benchmarks.sanafe_contestant", folder) as contestant:
            effective = contestant.ask(zero_weights=False, update_idle=True)
            active = contestant.ask(zero_weights=True, update_idle=False)
            whole = contestant.ask(zero_weights=True, update_idle=True)
        with np.load(Path(folder) / "ran.npz") as ran:
            return _read(case, whole, effective, active, dict(ran))


def _read(
    case: MappedCase,
    whole: dict[str, Any],
    effective: dict[str, Any],
    active: dict[str, Any],
    ran: dict[str, NDArray[Any]],
) -> SanafeRun:
    numbers = [core_number(core.address, case) for core in case.placement.cores]
    sent = ran["messages"][np.ix_(numbers, numbers)]
    source, target = np.nonzero(sent)
    hop_x, hop_y = (sent[source, target] @ one for one in hops(case, source, target))
    if int(sent.sum()) != whole["packets_sent"] or int(hop_x + hop_y) != whole["hops"]:
        raise ValueError("SANA-FE sent messages to or from cores that hold nothing")
    neurons = sum(population.neuron_count for population in case.network.populations)
    return SanafeRun(
        events=ChipEvents(
            synapse=whole["spikes"],
            neuron_access=neurons * whole["steps"],
            neuron_update=whole["neurons_updated"],
            spike=whole["neurons_fired"],
            message=whole["packets_sent"],
            hop_x=int(hop_x),
            hop_y=int(hop_y),
        ),
        effective_synapse=effective["spikes"],
        update_where_active=active["neurons_updated"],
        different_spikes=sum(_different_spikes(case, ran)),
        different_core_messages=int((sent != _messages(case)).sum()),
        different_core_operations=int((ran["operations"][numbers] != _operations(case)).sum()),
        steps=whole["steps"],
        constants_pj=whole["constants_pj"],
        energies_pj={part: whole[f"{part}_pj"] for part in ("synapse", "dendrite", "soma", "network", "total")},
    )


def _different_spikes(case: MappedCase, ran: dict[str, NDArray[Any]]) -> Iterator[int]:
    """For each population; spikes outside of its windows are different ones, too."""
    for population in case.network.populations:
        ours = np.zeros_like(ran[population.name])
        train = case.spike_trains[population.name].reshape(-1, population.neuron_count)
        ours[population.start_step :][: len(train)] = train
        yield int((ours != ran[population.name]).sum())


def _messages(case: MappedCase) -> IntArray:
    """Between the cores of the placement."""
    traffic = messages_of_neurons(case)
    messages = np.zeros((traffic.cores, traffic.cores), dtype=np.int64)
    messages[traffic.source, traffic.target] = traffic.messages
    return messages


def _operations(case: MappedCase) -> IntArray:
    """Synaptic operations of each core of the placement."""
    by_core: dict[str, int] = {}
    for tile in case.counts.tiles:
        by_core[tile.core] = by_core.get(tile.core, 0) + tile.ac_dense
    return np.array([by_core[str(core.address)] for core in case.placement.cores], dtype=np.int64)


def sanafe_table(case: MappedCase, run: SanafeRun) -> list[str]:
    """Markdown lines: events of all samples, and picojoule of one."""
    ours, constants, samples = our_events(case), run.constants_pj, len(case.samples)
    rows = [
        f"{case.name}, T = {case.network.timesteps}, {samples} samples, {len(case.placement.cores)} cores, "
        f"{run.steps} steps of SANA-FE; spikes that differ: {run.different_spikes}",
        "",
        "| event | ours | SANA-FE | pJ each | ours, pJ a sample | SANA-FE, pJ a sample | difference |",
        "|---|---|---|---|---|---|---|",
    ]
    our_pj, their_pj = ours.energies_pj(constants), run.events.energies_pj(constants)
    for name, count in asdict(ours).items():
        pair = our_pj[name] / samples, their_pj[name] / samples
        their_count = getattr(run.events, name)
        rows.append(
            f"| {name} | {count:,} | {their_count:,} | {constants[name]:.1f} | {pair[0]:,.1f} | {pair[1]:,.1f} "
            f"| {pair[1] - pair[0]:,.1f} |"
        )
    totals = sum(our_pj.values()) / samples, run.energies_pj["total"] / samples
    rows.append(f"| total | | | | {totals[0]:,.1f} | {totals[1]:,.1f} | {totals[1] - totals[0]:,.1f} |")
    effective = sum(tile.ac_effective for tile in case.counts.tiles)
    spread = route_metrics(case.network, case.placement, case.profile, [tile.spikes for tile in case.counts.tiles])
    rows += [
        "",
        f"Without synapses of weight zero: {effective:,} operations here, {run.effective_synapse:,} there. "
        f"Updates if SANA-FE leaves idle neurons out: {run.update_where_active:,}.",
        f"Were spikes spread evenly over each tile: {spread.messages:,.1f} messages, {spread.total_hops:,.1f} hops.",
        "Our presets, pJ a sample: "
        + "; ".join(f"{name} {energy:,.1f}" for name, energy in _preset_energies_pj(case)),
    ]
    return rows


def _preset_energies_pj(case: MappedCase) -> Iterator[tuple[str, float]]:
    """What `nmdeploy energy` says of a sample."""
    for name, preset in energy_presets().items():
        if not preset.targets or case.profile.name in preset.targets:
            yield name, EnergyReport(case.counts, preset).total.energy_pj
