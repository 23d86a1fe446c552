"""The same network without spikes, each time in the number format of the other side.

A rate over T steps has T + 1 values, so that a network of ceil(log2(T + 1))-bit activations represents as much (Yan et
al. 2024, arXiv 2409.08290). All figures are of one process, 45 nm (Horowitz, ISSCC 2014); a chip's own figures contain
what these leave out and are never set beside them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import ceil, log2

from hw_profiles.energy import EnergyPreset, energy_presets
from nmdeploy.energy.counts import OperationCounts
from nmdeploy.energy.events import Counting, InputConvention
from nmdeploy.energy.memory_model import ValueBytes
from nmdeploy.energy.report import EnergyReport

MEMORY_PRESET = "lemaire2022"
STATE_BYTES = 4.0
"""Of a potential, in every format."""


@dataclass(frozen=True)
class NumberFormat:
    """What both networks compute in.

    Attributes
    ----------
    name : str
    accumulate_pj, multiply_accumulate_pj : float
        Of both networks but for `trained_mac_pj`.
    trained_mac_pj : float
        Of one multiply-accumulate of the trained network.
    weight_bytes, activation_bytes : float
        Of a weight of both, and of an activation of the trained network.
    source : str
    """

    name: str
    accumulate_pj: float
    multiply_accumulate_pj: float
    trained_mac_pj: float
    weight_bytes: float
    activation_bytes: float
    source: str

    @property
    def break_even(self) -> float:
        """Spikes a synapse may carry in one inference until its accumulates cost as much as a multiply-accumulate."""
        return self.trained_mac_pj / self.accumulate_pj


@dataclass(frozen=True)
class FormatComparison:
    """Both networks in one number format; all energies of one inference, all T steps.

    Attributes
    ----------
    number_format : NumberFormat
    spiking_pj, trained_pj : float
        Additions and multiplications.
    spiking_with_memory_pj, trained_with_memory_pj : float
        And addresses and memory, by the preset `MEMORY_PRESET`.
    """

    number_format: NumberFormat
    spiking_pj: float
    trained_pj: float
    spiking_with_memory_pj: float
    trained_with_memory_pj: float

    @property
    def ratio(self) -> float | None:
        """Trained over spiking, arithmetic; below 1 the spiking network takes more; None if that takes nothing."""
        return self.trained_pj / self.spiking_pj if self.spiking_pj else None

    @property
    def ratio_with_memory(self) -> float | None:
        """The same with memory."""
        spiking_pj = self.spiking_with_memory_pj
        return self.trained_with_memory_pj / spiking_pj if spiking_pj else None

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "name": self.number_format.name,
            "number_format": asdict(self.number_format),
            "spiking_pj": self.spiking_pj,
            "trained_pj": self.trained_pj,
            "ratio": self.ratio,
            "spiking_with_memory_pj": self.spiking_with_memory_pj,
            "trained_with_memory_pj": self.trained_with_memory_pj,
            "ratio_with_memory": self.ratio_with_memory,
            "break_even": self.number_format.break_even,
        }


def equivalent_bits(timesteps: int) -> int:
    """Bits of activations that take as many values as a rate over this many steps."""
    return ceil(log2(timesteps + 1))


def number_formats(timesteps: int) -> tuple[NumberFormat, ...]:
    """32-bit float, 32-bit integer, 8-bit integer, and activations of as many bits as T steps tell apart.

    The last one's multiplication is derived: Horowitz's 8-bit multiplication (0.2 pJ) in proportion to the partial
    products of the multiplier, that is, to the activation's bits; weights and additions are those of 8 bits.
    """
    presets = energy_presets()
    whole = [
        _of_preset(presets[name], title, size_bytes)
        for name, title, size_bytes in (
            ("fp32-horowitz", "32-bit float", 4.0),
            ("int32", "32-bit integer", 4.0),
            ("int8", "8-bit integer", 1.0),
        )
    ]
    eight, bits = presets["int8"], equivalent_bits(timesteps)
    multiply_pj = eight.mac_pj - eight.ac_pj
    narrow = NumberFormat(
        name=f"{bits}-bit activations, 8-bit weights",
        accumulate_pj=eight.ac_pj,
        multiply_accumulate_pj=eight.mac_pj,
        trained_mac_pj=multiply_pj * bits / 8 + eight.ac_pj,
        weight_bytes=1.0,
        activation_bytes=bits / 8,
        source=f"derived: {multiply_pj:g} pJ x {bits} / 8 + {eight.ac_pj:g} pJ; {eight.source}",
    )
    return (*whole, narrow)


def compare_formats(
    counts: OperationCounts, counting: Counting = "dense", convention: InputConvention = "cached"
) -> tuple[FormatComparison, ...]:
    """Set the spiking network beside itself without spikes, in each number format.

    With memory, potentials have 32 bits in every format, and weights and activations those of the format.

    Parameters
    ----------
    counts : OperationCounts
    counting, convention
        See `nmdeploy.energy.events.tile_events`.
    """
    return tuple(_compared(counts, one, counting, convention) for one in number_formats(counts.timesteps))


def _compared(
    counts: OperationCounts, chosen: NumberFormat, counting: Counting, convention: InputConvention
) -> FormatComparison:
    memory = energy_presets()[MEMORY_PRESET]
    spiking_widths = ValueBytes(weight=chosen.weight_bytes, state=STATE_BYTES, message=STATE_BYTES)
    trained_widths = ValueBytes(chosen.weight_bytes, STATE_BYTES, chosen.activation_bytes)
    spiking = EnergyReport(counts, memory, counting, convention, spiking_widths).total
    trained = EnergyReport(counts, memory, counting, convention, trained_widths).float_network
    spiking_pj = spiking.ac * chosen.accumulate_pj + spiking.mac * chosen.multiply_accumulate_pj
    trained_pj = counts.float_macs * chosen.trained_mac_pj
    return FormatComparison(
        chosen,
        spiking_pj,
        trained_pj,
        spiking_pj + _memory_pj(spiking.energy_by_kind_pj),
        trained_pj + _memory_pj(trained.energy_by_kind_pj or {}),
    )


def _of_preset(preset: EnergyPreset, name: str, size_bytes: float) -> NumberFormat:
    return NumberFormat(name, preset.ac_pj, preset.mac_pj, preset.mac_pj, size_bytes, size_bytes, preset.source)


def _memory_pj(energy_by_kind_pj: dict[str, float]) -> float:
    """What is no arithmetic."""
    return sum(pj for kind, pj in energy_by_kind_pj.items() if kind == "addresses" or kind.endswith(" in memory"))
