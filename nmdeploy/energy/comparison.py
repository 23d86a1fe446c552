"""The same network without spikes: at 32-bit float, at 8 bits, and at as many bits as T steps can tell apart.

A rate over T steps has T + 1 values, so that a network of ceil(log2(T + 1))-bit activations represents as much (Yan et
al. 2024, arXiv 2409.08290). All figures are of one process, 45 nm (Horowitz, ISSCC 2014); a chip's own figures contain
what these leave out and are never set beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2

from hw_profiles.energy import EnergyPreset, energy_presets
from nmdeploy.energy.counts import OperationCounts
from nmdeploy.energy.events import Counting, InputConvention
from nmdeploy.energy.memory_model import ValueBytes
from nmdeploy.energy.report import energy_report

WEIGHT_BITS = 8
MEMORY_PRESET = "lemaire2022"
STATE_BYTES = 4.0
QUANTISED_SOURCE = "derived: 0.2 pJ x bits / 8 + 0.03 pJ"


@dataclass(frozen=True)
class Baseline:
    """The trained network in some number format, beside the spiking one.

    Attributes
    ----------
    name : str
    mac_pj : float
        Of one multiply-accumulate.
    source : str
        Of that figure.
    energy_pj, ratio : float
        Arithmetic of one inference, and that over the spiking network's: below 1 the spiking one takes more.
    energy_with_memory_pj, ratio_with_memory : float
        The same with memory and addresses.
    break_even : float
        Spikes that a synapse may carry in one inference until its accumulates cost as much as one multiply-accumulate.
    """

    name: str
    mac_pj: float
    source: str
    energy_pj: float
    ratio: float
    energy_with_memory_pj: float
    ratio_with_memory: float
    break_even: float

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return dict(vars(self))


@dataclass(frozen=True)
class Comparison:
    """The spiking network beside itself without spikes.

    Attributes
    ----------
    preset : EnergyPreset
        That prices the arithmetic of the spiking network.
    spiking_pj, spiking_with_memory_pj : float
        Of one inference, all T steps.
    spikes_per_synapse : float
    timesteps : int
    baselines : tuple of Baseline
    """

    preset: EnergyPreset
    spiking_pj: float
    spiking_with_memory_pj: float
    spikes_per_synapse: float
    timesteps: int
    baselines: tuple[Baseline, ...]

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "preset": self.preset.name,
            "spiking_pj": self.spiking_pj,
            "spiking_with_memory_pj": self.spiking_with_memory_pj,
            "spikes_per_synapse": self.spikes_per_synapse,
            "timesteps": self.timesteps,
            "baselines": [baseline.as_dict() for baseline in self.baselines],
        }


def equivalent_bits(timesteps: int) -> int:
    """Bits of activations that take as many values as a rate over this many steps."""
    return ceil(log2(timesteps + 1))


def quantised_mac_pj(activation_bits: int) -> float:
    """Energy of a multiply-accumulate of such an activation and an 8-bit weight at 45 nm.

    Horowitz's 8-bit multiplication (0.2 pJ), in proportion to the partial products of the multiplier, that is, to the
    activation's bits; and his 8-bit addition (0.03 pJ).
    """
    return 0.2 * activation_bits / 8 + 0.03


def compare(
    counts: OperationCounts, preset: EnergyPreset, counting: Counting, convention: InputConvention
) -> Comparison | None:
    """Set the spiking network beside itself without spikes.

    With memory, weights have 8 bits in all networks but that of 32-bit float, and potentials 32.

    Parameters
    ----------
    counts : OperationCounts
    preset : EnergyPreset
        Of bare arithmetic.
    counting, convention
        See `nmdeploy.energy.events.tile_events`.

    Returns
    -------
    Comparison or None
        None for presets of a chip, and for those that contain memory already.
    """
    if preset.scope != "arithmetic" or not preset.ac_pj:
        return None
    presets = energy_presets()
    memory = presets[MEMORY_PRESET]
    of_weight = WEIGHT_BITS / 8
    spiking = energy_report(counts, preset, counting, convention)
    widths = ValueBytes(weight=of_weight, state=STATE_BYTES, message=STATE_BYTES)
    spiking_memory_pj = _memory_pj(energy_report(counts, memory, counting, convention, widths).total.energy_by_kind_pj)
    bits = equivalent_bits(counts.timesteps)
    figures = [
        ("32-bit float", presets["fp32-horowitz"].mac_pj, presets["fp32-horowitz"].source, 4.0, 4.0),
        ("8-bit integer", presets["int8"].mac_pj, presets["int8"].source, of_weight, 1.0),
        (f"{bits}-bit activations", quantised_mac_pj(bits), QUANTISED_SOURCE, of_weight, bits / 8),
    ]
    spiking_pj = spiking.total.energy_pj
    with_memory_pj = spiking_pj + spiking_memory_pj
    baselines = []
    for name, mac_pj, source, weight, message in figures:
        energy_pj = counts.float_macs * mac_pj
        of_memory = energy_report(counts, memory, widths=ValueBytes(weight, STATE_BYTES, message)).float_network
        whole_pj = energy_pj + _memory_pj(of_memory.energy_by_kind_pj or {})
        baselines.append(
            Baseline(
                name=name,
                mac_pj=mac_pj,
                source=source,
                energy_pj=energy_pj,
                ratio=_ratio(energy_pj, spiking_pj),
                energy_with_memory_pj=whole_pj,
                ratio_with_memory=_ratio(whole_pj, with_memory_pj),
                break_even=mac_pj / preset.ac_pj,
            )
        )
    return Comparison(
        preset, spiking_pj, with_memory_pj, spiking.spikes_per_synapse, counts.timesteps, tuple(baselines)
    )


def _memory_pj(energy_by_kind_pj: dict[str, float]) -> float:
    """What is no arithmetic."""
    return sum(pj for kind, pj in energy_by_kind_pj.items() if kind == "addresses" or kind.endswith(" in memory"))


def _ratio(one_pj: float, other_pj: float) -> float:
    return one_pj / other_pj if other_pj else float("inf")
