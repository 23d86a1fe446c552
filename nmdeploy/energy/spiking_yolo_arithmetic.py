"""Spiking-YOLO's comparison of accumulates with multiply-accumulates, and the same over all time steps."""

from __future__ import annotations

from dataclasses import dataclass

from hw_profiles.energy import EnergyPreset
from nmdeploy.energy.paper_audit import PaperSection, PaperStep, derived_step
from nmdeploy.energy.spiking_yolo_figures import (
    ARITHMETIC_CLAIM,
    CHANNEL_NORM_OPERATIONS,
    CHANNEL_NORM_TIMESTEPS,
    FLOP,
    LAYER_NORM_OPERATIONS,
    QUOTED,
)

ALL_STEPS_OPERATIONS = CHANNEL_NORM_OPERATIONS * CHANNEL_NORM_TIMESTEPS
MILLIJOULE_PER_PICOJOULE = 1e-9


@dataclass(frozen=True)
class ArithmeticComparison:
    """Both networks at the prices of one preset.

    Attributes
    ----------
    number_format : str
        Begins the names of the steps.
    preset : EnergyPreset
    macs : int
        Multiply-accumulates of the trained network.
    mac_price_problem, mac_ratio_problem : str
        What is to be said of these two steps for this number format alone.
    """

    number_format: str
    preset: EnergyPreset
    macs: int
    mac_price_problem: str = ""
    mac_ratio_problem: str = ""

    @property
    def claimed_ratio(self) -> float:
        """Every floating-point operation at the price of a MAC, time steps left out."""
        return FLOP * self.preset.mac_pj / (LAYER_NORM_OPERATIONS * self.preset.ac_pj)

    @property
    def mac_ratio(self) -> float:
        """Every MAC at its price, time steps left out."""
        return self.macs * self.preset.mac_pj / (LAYER_NORM_OPERATIONS * self.preset.ac_pj)

    @property
    def trained_energy_mj(self) -> float:
        """Energy of the trained network."""
        return self.macs * self.preset.mac_pj * MILLIJOULE_PER_PICOJOULE

    @property
    def spiking_energy_mj(self) -> float:
        """Energy of the spiking network over all steps, channel-wise norm."""
        return ALL_STEPS_OPERATIONS * self.preset.ac_pj * MILLIJOULE_PER_PICOJOULE

    @property
    def all_steps_ratio(self) -> float:
        """Times the energy of the trained network that the spiking one takes."""
        return self.spiking_energy_mj / self.trained_energy_mj

    def price_steps(self) -> tuple[PaperStep, PaperStep]:
        """What the two operations cost."""
        name, preset = self.number_format, self.preset
        source = f"energy preset {preset.name}: {preset.source}"
        mac, ac = f"{name}: a multiply-accumulate", f"{name}: an accumulate"
        return (
            PaperStep(f"{name}_mac_pj", mac, "", preset.mac_pj, "pJ", preset.status, source, self.mac_price_problem),
            PaperStep(f"{name}_ac_pj", ac, "", preset.ac_pj, "pJ", preset.status, source),
        )

    def claim_steps(self) -> tuple[PaperStep, PaperStep]:
        """The ratio that the assumptions give."""
        name, mac_pj, ac_pj = self.number_format, self.preset.mac_pj, self.preset.ac_pj
        return (
            derived_step(
                f"{name}_claimed_ratio",
                f"{name}: FLOPs at the price of MACs, over operations at that of ACs",
                f"6.97e9 * {mac_pj} / (5.28e7 * {ac_pj})",
                self.claimed_ratio,
                "",
                f"not {ARITHMETIC_CLAIM}; a MAC is two FLOPs, so the trained network is counted twice; time steps are "
                "left out",
            ),
            derived_step(
                f"{name}_mac_ratio",
                f"{name}: the same with MACs",
                f"{self.macs:,} * {mac_pj} / (5.28e7 * {ac_pj})",
                self.mac_ratio,
                "",
                f"time steps are left out{self.mac_ratio_problem}",
            ),
        )

    def all_steps(self) -> tuple[PaperStep, ...]:
        """What both networks take over a whole inference."""
        name, trained_mj, spiking_mj = self.number_format, self.trained_energy_mj, self.spiking_energy_mj
        return (
            derived_step(
                f"{name}_trained_energy_mj",
                f"{name}: energy of the trained network",
                f"{self.macs:,} * {self.preset.mac_pj} pJ",
                trained_mj,
                "mJ",
            ),
            derived_step(
                f"{name}_spiking_energy_mj",
                f"{name}: energy of the spiking network",
                f"{ALL_STEPS_OPERATIONS:.4g} * {self.preset.ac_pj} pJ",
                spiking_mj,
                "mJ",
            ),
            derived_step(
                f"{name}_all_steps_ratio",
                f"{name}: times the energy of the trained network that the spiking one takes",
                f"{spiking_mj:.5g} / {trained_mj:.5g}",
                self.all_steps_ratio,
                "",
                "above 1: the spiking network loses, by arithmetic alone",
            ),
        )


def arithmetic_claim(comparisons: tuple[ArithmeticComparison, ...]) -> PaperSection:
    """From the assumptions to what should be the ratio of 2000."""
    operations = PaperStep(
        "layer_norm_operations",
        "operations of the spiking network, layer-wise norm",
        "",
        LAYER_NORM_OPERATIONS,
        "AC",
        "published",
        QUOTED,
        "of one time step, by the same reading; a window has thousands",
    )
    prices = (step for one in comparisons for step in one.price_steps())
    ratios = (step for one in comparisons for step in one.claim_steps())
    return PaperSection(f"the claim of {ARITHMETIC_CLAIM} times: AC against MAC", (operations, *prices, *ratios))


def arithmetic_over_all_steps(comparisons: tuple[ArithmeticComparison, ...]) -> PaperSection:
    """The same comparison of whole inferences."""
    operations = derived_step(
        "all_steps_operations",
        "operations of all 3,500 steps, channel-wise norm",
        "4.90e7 * 3500",
        ALL_STEPS_OPERATIONS,
        "AC",
    )
    energies = (step for one in comparisons for step in one.all_steps())
    return PaperSection("the same over all time steps", (operations, *energies))
