"""The energy report: counts times a preset, per layer, core, chip and projection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from hw_profiles.energy import EVENT_KINDS, EnergyPreset, EventKind, MemoryModel
from mapping.placement import HOST
from nmdeploy.energy.counts import OperationCounts, PopulationSize, TileCounts
from nmdeploy.energy.events import Counting, InputConvention, summed_events
from nmdeploy.energy.memory_model import ValueBytes, float_memory_pj, spiking_memory_pj

NOTE = (
    "Estimate, not a measurement. Paced neurons and slopes multiply at their updates: no preset has a price for that."
)


@dataclass(frozen=True)
class EnergyRow:
    """Mean events and energy of one inference in one layer, core, chip or projection.

    Attributes
    ----------
    name : str
    events : dict of event kind to float
    energy_by_kind_pj : dict of str to float
        By event kind, and what the memory model adds; what has no price does not stand there.
    """

    name: str
    events: dict[EventKind, float]
    energy_by_kind_pj: dict[str, float]

    @property
    def ac(self) -> float:
        """Accumulates of spikes, and additions of the input current."""
        return self.events["accumulate"] + self.events["input_addition"]

    @property
    def mac(self) -> float:
        """Multiply-accumulates of the input current."""
        return self.events["multiply_accumulate"]

    @property
    def energy_pj(self) -> float:
        """Of all kinds."""
        return sum(self.energy_by_kind_pj.values())

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "ac": self.ac,
            "mac": self.mac,
            "energy_pj": self.energy_pj,
            "events": self.events,
            "energy_by_kind_pj": self.energy_by_kind_pj,
        }


@dataclass(frozen=True)
class FloatRow:
    """The trained network with the same preset, one sample.

    Attributes
    ----------
    mac, mac_padded, bias_additions : float
        Multiply-accumulates without and with taps in the padding; additions of biases.
    energy_by_kind_pj : dict of str to float, or None
        None for presets of a chip, which nothing else may be measured with.
    """

    mac: float
    mac_padded: float
    bias_additions: float
    energy_by_kind_pj: dict[str, float] | None

    @property
    def energy_pj(self) -> float | None:
        """Of all kinds; None where there is none."""
        return None if self.energy_by_kind_pj is None else sum(self.energy_by_kind_pj.values())

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "ac": 0.0,
            "mac": self.mac,
            "mac_padded": self.mac_padded,
            "bias_additions": self.bias_additions,
            "energy_pj": self.energy_pj,
            "energy_by_kind_pj": self.energy_by_kind_pj,
        }


@dataclass(frozen=True)
class EnergyReport:
    """Operation counts under a preset: energy of one inference, mean over the samples.

    Attributes
    ----------
    counts : OperationCounts
    preset : EnergyPreset
    counting : {"dense", "effective"}
    input_convention : {"cached", "every-step"}
        See `nmdeploy.energy.events.tile_events`.
    widths : ValueBytes or None
        Of values in memory, for presets that have memories; those of the preset if None.
    """

    counts: OperationCounts
    preset: EnergyPreset
    counting: Counting = "dense"
    input_convention: InputConvention = "cached"
    widths: ValueBytes | None = None

    @cached_property
    def layers(self) -> tuple[EnergyRow, ...]:
        """By population, in the order of the placement; they add up to `total` without its static power."""
        return self._rows(lambda tile: tile.population)

    @cached_property
    def cores(self) -> tuple[EnergyRow, ...]:
        """By core; they add up as layers do."""
        return self._rows(lambda tile: tile.core)

    @cached_property
    def chips(self) -> tuple[EnergyRow, ...]:
        """By chip; they add up as layers do."""
        return self._rows(lambda tile: HOST if tile.core == HOST else f"chip {tile.chip}")

    @cached_property
    def tiles(self) -> tuple[EnergyRow, ...]:
        """By core and population; tiles of one population on one core are one row."""
        return self._rows(lambda tile: f"{tile.core}: {tile.population}")

    @cached_property
    def total(self) -> EnergyRow:
        """Of everything, static power too."""
        row = self._row("total", self.counts.tiles)
        static = self.preset.static
        if static is None:
            return row
        duration_us = self.counts.latency_steps * static.step_us
        static_pj = static.chip_mw * self.counts.chips * duration_us * 1000  # mW x us = nJ
        return EnergyRow("total", row.events, {**row.energy_by_kind_pj, "static": static_pj})

    @cached_property
    def projections(self) -> tuple[EnergyRow, ...]:
        """Accumulates of each projection, and multiply-accumulates of the input of each population that has one."""
        effective = self.counting == "effective"
        accumulates: dict[str, int] = defaultdict(int)
        of_input: dict[str, list[TileCounts]] = defaultdict(list)
        for tile in self.counts.tiles:
            for one in tile.projections:
                accumulates[one.name] += one.ac_effective if effective else one.ac_dense
            if tile.input_currents:
                of_input[f"input -> {tile.population}"].append(tile)
        rows = []
        of_current: tuple[EventKind, ...] = ("multiply_accumulate", "input_addition")
        for name, tiles in of_input.items():
            events = summed_events(tiles, self.counting, self.input_convention)
            rows.append(self._priced(name, {kind: events[kind] for kind in of_current}))
        return (*rows, *(self._priced(name, {"accumulate": count}) for name, count in accumulates.items()))

    @cached_property
    def float_network(self) -> FloatRow:
        """The trained network."""
        layers, preset = self.counts.float_layers, self.preset
        macs, biases = sum(layer.macs for layer in layers), sum(layer.bias_additions for layer in layers)
        padded = float(sum(layer.macs_padded for layer in layers))
        if preset.scope == "chip":
            return FloatRow(float(macs), padded, float(biases), None)
        counted: dict[EventKind, int] = {"multiply_accumulate": macs, "bias_addition": biases}
        energy: dict[str, float] = {
            kind: count * preset.energy_pj[kind] for kind, count in counted.items() if kind in preset.energy_pj
        }
        if preset.memory is not None:
            widths = self.widths or ValueBytes.equal(preset.memory)
            for layer in layers:
                _add(energy, float_memory_pj(preset, preset.memory, layer, widths))
        return FloatRow(float(macs), padded, float(biases), energy)

    @property
    def timesteps(self) -> int:
        """T."""
        return self.counts.timesteps

    @property
    def samples(self) -> int:
        """Samples that the means are of."""
        return self.counts.samples

    @property
    def spikes(self) -> float:
        """Spikes of one inference."""
        return self.total.events["spike"]

    @property
    def firing_rate_hz(self) -> float:
        """Of a neuron in its window, mean over all, in steps of 1 ms."""
        neuron_steps = self.total.events["neuron_update"]
        return 1000 * self.spikes / neuron_steps if neuron_steps else 0.0

    @property
    def spikes_per_synapse(self) -> float:
        """Spikes that a synapse carries in one inference, mean over all synapses from populations."""
        synapses = sum(size.synapses for size in self.counts.populations)
        arrived = sum(tile.ac_dense for tile in self.counts.tiles) / self.counts.samples
        return arrived / synapses if synapses else 0.0

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        events = self.total.events
        return {
            "preset": self.preset.name,
            "preset_figures": self.preset.model_dump(),
            "note": NOTE,
            "left_out": self.preset.left_out,
            "counting": self.counting,
            "input_convention": self.input_convention,
            "timesteps": self.timesteps,
            "latency_steps": self.counts.latency_steps,
            "read_out_step": self.counts.read_out_step,
            "samples": self.samples,
            "total": self.total.as_dict(),
            "layers": [{"name": row.name, **row.as_dict()} for row in self.layers],
            "cores": [{"core": row.name, **row.as_dict()} for row in self.cores],
            "chips": [{"chip": row.name, **row.as_dict()} for row in self.chips],
            "projections": [{"name": row.name, **row.as_dict()} for row in self.projections],
            "float_network": self.float_network.as_dict(),
            "spikes": events["spike"],
            "neuron_updates": events["neuron_update"],
            "bias_additions": events["bias_addition"],
            "spikes_per_synapse": self.spikes_per_synapse,
            "off_chip_messages": sum(tile.off_chip_messages for tile in self.counts.tiles) / self.samples,
        }

    @cached_property
    def _sizes(self) -> dict[str, PopulationSize]:
        return {size.name: size for size in self.counts.populations}

    def _rows(self, name: Callable[[TileCounts], str]) -> tuple[EnergyRow, ...]:
        """One row for each name, in the order in which they come."""
        groups: dict[str, list[TileCounts]] = defaultdict(list)
        for tile in self.counts.tiles:
            groups[name(tile)].append(tile)
        return tuple(self._row(one, of_one) for one, of_one in groups.items())

    def _row(self, name: str, tiles: Sequence[TileCounts]) -> EnergyRow:
        """Some tiles together; counts are added up as integers, so that their order changes nothing."""
        priced = self._priced(name, summed_events(tiles, self.counting, self.input_convention))
        if self.preset.memory is None:
            return priced
        energy = {**priced.energy_by_kind_pj, **self._memory_pj(self.preset.memory, tiles)}
        return EnergyRow(name, priced.events, energy)

    def _priced(self, name: str, events: Mapping[EventKind, int]) -> EnergyRow:
        """Events of all samples as means, with their prices."""
        samples = self.counts.samples
        return EnergyRow(
            name,
            {kind: events.get(kind, 0) / samples for kind in EVENT_KINDS},
            {kind: events[kind] * price / samples for kind, price in self.preset.energy_pj.items() if kind in events},
        )

    def _memory_pj(self, memory: MemoryModel, tiles: Sequence[TileCounts]) -> dict[str, float]:
        """Energy of addresses and memories, population by population, since each has memories of its own size."""
        of_population: dict[str, list[TileCounts]] = defaultdict(list)
        for tile in tiles:
            of_population[tile.population].append(tile)
        energy: dict[str, float] = {}
        for population in sorted(of_population):
            group = of_population[population]
            found = spiking_memory_pj(
                self.preset,
                memory,
                summed_events(group, self.counting, self.input_convention),
                sum(tile.input_currents for tile in group) if self.input_convention == "cached" else 0,
                self._sizes[population],
                self.counts.inputs,
                self.widths or ValueBytes.equal(memory),
            )
            _add(energy, {kind: energy_pj / self.counts.samples for kind, energy_pj in found.items()})
        return energy


def _add(energy: dict[str, float], more: Mapping[str, float]) -> None:
    """Add energies by kind."""
    for kind, energy_pj in more.items():
        energy[kind] = energy.get(kind, 0.0) + energy_pj
