"""The energy report: counts times a preset, per layer, core, chip and projection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hw_profiles.energy import EnergyPreset, EventKind
from nmdeploy.energy.counts import OperationCounts, TileCounts
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
    """Energy of one inference, mean over the samples.

    Attributes
    ----------
    preset : EnergyPreset
    counting : {"dense", "effective"}
    input_convention : {"cached", "every-step"}
        See `nmdeploy.energy.events.tile_events`.
    counts : OperationCounts
    layers, cores, chips : tuple of EnergyRow
        Each adds up to `total` without its static power.
    tiles : tuple of EnergyRow
        Tiles of one population on one core together.
    projections : tuple of EnergyRow
        Of accumulates and multiply-accumulates only, the input's among them.
    total : EnergyRow
    float_network : FloatRow
    """

    preset: EnergyPreset
    counting: Counting
    input_convention: InputConvention
    counts: OperationCounts
    layers: tuple[EnergyRow, ...]
    cores: tuple[EnergyRow, ...]
    chips: tuple[EnergyRow, ...]
    tiles: tuple[EnergyRow, ...]
    projections: tuple[EnergyRow, ...]
    total: EnergyRow
    float_network: FloatRow

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


def energy_report(
    counts: OperationCounts,
    preset: EnergyPreset,
    counting: Counting = "dense",
    input_convention: InputConvention = "cached",
    widths: ValueBytes | None = None,
) -> EnergyReport:
    """Apply a preset to operation counts.

    Parameters
    ----------
    counts : OperationCounts
    preset : EnergyPreset
    counting : {"dense", "effective"}
    input_convention : {"cached", "every-step"}
    widths : ValueBytes, optional
        Of values in memory, for presets that have memories; those of the preset if not given.
    """
    pricing = _Pricing(counts, preset, counting, input_convention, widths)
    total = pricing.row("total", counts.tiles)
    if preset.static is not None:
        duration_us = counts.latency_steps * preset.static.step_us
        static_pj = preset.static.chip_mw * counts.chips * duration_us * 1000  # mW x us = nJ
        total = EnergyRow("total", total.events, {**total.energy_by_kind_pj, "static": static_pj})
    return EnergyReport(
        preset=preset,
        counting=counting,
        input_convention=input_convention,
        counts=counts,
        layers=pricing.rows(counts.tiles, lambda tile: tile.population),
        cores=pricing.rows(counts.tiles, lambda tile: tile.core),
        chips=pricing.rows(counts.tiles, lambda tile: tile.core.split(" (")[0]),
        tiles=pricing.rows(counts.tiles, lambda tile: f"{tile.core}: {tile.population}"),
        projections=pricing.projections(),
        total=total,
        float_network=_float_row(counts, preset, widths),
    )


class _Pricing:
    """Rows of one report."""

    def __init__(
        self,
        counts: OperationCounts,
        preset: EnergyPreset,
        counting: Counting,
        convention: InputConvention,
        widths: ValueBytes | None,
    ) -> None:
        self._counts, self._preset, self._counting, self._convention = counts, preset, counting, convention
        self._sizes = {size.name: size for size in counts.populations}
        self._widths = widths

    def rows(self, tiles: Iterable[TileCounts], name: Callable[[TileCounts], str]) -> tuple[EnergyRow, ...]:
        """One row for each name, in the order in which they come."""
        groups: dict[str, list[TileCounts]] = defaultdict(list)
        for tile in tiles:
            groups[name(tile)].append(tile)
        return tuple(self.row(one, of_one) for one, of_one in groups.items())

    def row(self, name: str, tiles: Iterable[TileCounts]) -> EnergyRow:
        """All of some tiles; counts are added up as integers, so that their order changes nothing."""
        listed = list(tiles)
        events = summed_events(listed, self._counting, self._convention)
        samples = self._counts.samples
        energy: dict[str, float] = {
            kind: events[kind] * price / samples for kind, price in self._preset.energy_pj.items()
        }
        memory = self._preset.memory
        if memory is not None:
            of_population: dict[str, list[TileCounts]] = defaultdict(list)
            for tile in listed:
                of_population[tile.population].append(tile)
            for population in sorted(of_population):
                group = of_population[population]
                added = spiking_memory_pj(
                    self._preset,
                    memory,
                    summed_events(group, self._counting, self._convention),
                    sum(tile.input_currents for tile in group) if self._convention == "cached" else 0,
                    self._sizes[population],
                    self._counts.inputs,
                    self._widths or ValueBytes.equal(memory),
                )
                for kind, energy_pj in added.items():
                    energy[kind] = energy.get(kind, 0.0) + energy_pj / samples
        return EnergyRow(name, {kind: count / samples for kind, count in events.items()}, energy)

    def projections(self) -> tuple[EnergyRow, ...]:
        """Accumulates of each projection, and multiply-accumulates of the input of each population that has one."""
        effective, samples = self._counting == "effective", self._counts.samples
        accumulates: dict[str, int] = defaultdict(int)
        of_input: dict[str, list[TileCounts]] = defaultdict(list)
        for tile in self._counts.tiles:
            for one in tile.projections:
                accumulates[one.name] += one.ac_effective if effective else one.ac_dense
            if tile.input_currents:
                of_input[f"input -> {tile.population}"].append(tile)
        none = summed_events([], self._counting, self._convention)
        found = []
        for name, tiles in of_input.items():
            events = summed_events(tiles, self._counting, self._convention)
            of_current: tuple[EventKind, ...] = ("multiply_accumulate", "input_addition")
            found.append((name, {**none, **{kind: events[kind] for kind in of_current}}))
        found += [(name, {**none, "accumulate": count}) for name, count in accumulates.items()]
        prices = self._preset.energy_pj
        return tuple(
            EnergyRow(
                name,
                {kind: count / samples for kind, count in events.items()},
                {kind: events[kind] * price / samples for kind, price in prices.items() if events[kind]},
            )
            for name, events in found
        )


def _float_row(counts: OperationCounts, preset: EnergyPreset, widths: ValueBytes | None) -> FloatRow:
    layers = counts.float_layers
    macs, biases = sum(layer.macs for layer in layers), sum(layer.bias_additions for layer in layers)
    energy: dict[str, float] | None = None
    if preset.scope != "chip":
        energy = {"multiply_accumulate": macs * preset.mac_pj}
        if "bias_addition" in preset.energy_pj:
            energy["bias_addition"] = biases * preset.energy_pj["bias_addition"]
        if preset.memory is not None:
            for layer in layers:
                for kind, pj in float_memory_pj(
                    preset, preset.memory, layer, widths or ValueBytes.equal(preset.memory)
                ).items():
                    energy[kind] = energy.get(kind, 0.0) + pj
    return FloatRow(float(macs), float(sum(layer.macs_padded for layer in layers)), float(biases), energy)
