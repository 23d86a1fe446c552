"""The energy report: counts times a preset, per layer and per core."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from hw_profiles.energy import EnergyPreset
from nmdeploy.energy.counts import OperationCounts, TileCounts

Counting = Literal["dense", "effective"]
InputConvention = Literal["cached", "every-step"]

NOTE = (
    "Estimate, not a measurement: arithmetic only. Memory, addressing, neuron updates (in which paced neurons and "
    "slopes multiply), bias additions, routing and static power are left out."
)


@dataclass(frozen=True)
class EnergyRow:
    """Mean operations and energy of one inference in one layer or core."""

    name: str
    ac: float
    mac: float
    energy_pj: float


@dataclass(frozen=True)
class EnergyReport:
    """Energy of one inference, mean over the samples.

    Attributes
    ----------
    preset : EnergyPreset
    counting : {"dense", "effective"}
        Whether synapses of weight zero are counted.
    input_convention : {"cached", "every-step"}
        Whether the input current is multiplied once and then added in every step, as the chip does, or multiplied in
        every step, as papers count it.
    timesteps, samples : int
    layers, cores : tuple of EnergyRow
        Both add up to `total`.
    total : EnergyRow
    float_network : EnergyRow
        The trained network with the same preset.
    spikes, neuron_updates, bias_additions : float
        Per inference; not part of the energy.
    """

    preset: EnergyPreset
    counting: Counting
    input_convention: InputConvention
    timesteps: int
    samples: int
    layers: tuple[EnergyRow, ...]
    cores: tuple[EnergyRow, ...]
    total: EnergyRow
    float_network: EnergyRow
    spikes: float
    neuron_updates: float
    bias_additions: float

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "preset": self.preset.name,
            "preset_figures": self.preset.model_dump(),
            "note": NOTE,
            "counting": self.counting,
            "input_convention": self.input_convention,
            "timesteps": self.timesteps,
            "samples": self.samples,
            "total": _plain(self.total),
            "layers": [{"name": row.name, **_plain(row)} for row in self.layers],
            "cores": [{"core": row.name, **_plain(row)} for row in self.cores],
            "float_network": _plain(self.float_network),
            "spikes": self.spikes,
            "neuron_updates": self.neuron_updates,
            "bias_additions": self.bias_additions,
        }


def _plain(row: EnergyRow) -> dict[str, float]:
    return {"ac": row.ac, "mac": row.mac, "energy_pj": row.energy_pj}


def energy_report(
    counts: OperationCounts,
    preset: EnergyPreset,
    counting: Counting = "dense",
    input_convention: InputConvention = "cached",
) -> EnergyReport:
    """Apply a preset to operation counts.

    Parameters
    ----------
    counts : OperationCounts
    preset : EnergyPreset
    counting : {"dense", "effective"}
    input_convention : {"cached", "every-step"}
    """

    def row(name: str, tiles: Iterable[TileCounts]) -> EnergyRow:
        ac = mac = 0
        for tile in tiles:
            effective = counting == "effective"
            ac += tile.ac_effective if effective else tile.ac_dense
            if input_convention == "cached":
                mac += tile.input_mac_effective if effective else tile.input_mac_dense
                ac += tile.input_additions
            else:
                mac += tile.input_mac_effective_every_step if effective else tile.input_mac_dense_every_step
        per_inference = (ac / counts.samples, mac / counts.samples)
        return _priced(name, *per_inference, preset)

    by_layer: dict[str, list[TileCounts]] = defaultdict(list)
    by_core: dict[str, list[TileCounts]] = defaultdict(list)
    for tile in counts.tiles:
        by_layer[tile.population].append(tile)
        by_core[tile.core].append(tile)
    return EnergyReport(
        preset=preset,
        counting=counting,
        input_convention=input_convention,
        timesteps=counts.timesteps,
        samples=counts.samples,
        layers=tuple(row(name, tiles) for name, tiles in by_layer.items()),
        cores=tuple(row(name, tiles) for name, tiles in by_core.items()),
        total=row("total", counts.tiles),
        float_network=_priced("float network", 0.0, float(sum(counts.float_macs.values())), preset),
        spikes=sum(tile.spikes for tile in counts.tiles) / counts.samples,
        neuron_updates=sum(tile.neuron_updates for tile in counts.tiles) / counts.samples,
        bias_additions=sum(tile.bias_additions for tile in counts.tiles) / counts.samples,
    )


def _priced(name: str, ac: float, mac: float, preset: EnergyPreset) -> EnergyRow:
    return EnergyRow(name, ac, mac, ac * preset.ac_pj + mac * preset.mac_pj)
