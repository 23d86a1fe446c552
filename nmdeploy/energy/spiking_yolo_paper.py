"""The energy comparison of Spiking-YOLO, computed anew from its assumptions: where 280 and 2000 come from and break."""

from __future__ import annotations

from hw_profiles.energy import energy_presets
from nmdeploy.energy.paper_audit import PaperAudit, PaperSection, derived_step
from nmdeploy.energy.spiking_yolo_arithmetic import (
    ArithmeticComparison,
    arithmetic_claim,
    arithmetic_over_all_steps,
)
from nmdeploy.energy.spiking_yolo_figures import ARITHMETIC_CLAIM, PAPER, TRUENORTH_CLAIM
from nmdeploy.energy.spiking_yolo_truenorth import (
    ALL_STEPS_ENERGY_J,
    GPU_ENERGY_J,
    ROUNDED_ENERGIES_J,
    truenorth_claim,
    truenorth_over_all_steps,
)
from nmdeploy.energy.tiny_yolo import SOURCE as NETWORK_SOURCE
from nmdeploy.energy.tiny_yolo import ConvolutionMacs, convolution_macs, tiny_yolo_voc


def spiking_yolo_audit() -> PaperAudit:
    """Every step of the comparison: the network's operations are counted, the rest follows from published figures."""
    convolutions = convolution_macs(tiny_yolo_voc())
    macs = sum(layer.padded_dense_macs for layer in convolutions)
    comparisons = _comparisons(macs)
    return PaperAudit(
        paper=PAPER,
        network=f"Tiny-YOLO (v2, Pascal VOC) at 416 x 416: {NETWORK_SOURCE}",
        convolutions=convolutions,
        sections=(
            _network(convolutions),
            truenorth_claim(),
            truenorth_over_all_steps(macs),
            arithmetic_claim(comparisons),
            arithmetic_over_all_steps(comparisons),
        ),
        conclusions=_conclusions(comparisons),
    )


def _comparisons(macs: int) -> tuple[ArithmeticComparison, ...]:
    presets = energy_presets()
    return (
        ArithmeticComparison(
            "fp32",
            presets["fp32-horowitz"],
            macs,
            mac_price_problem=f"{presets['fp32'].mac_pj} pJ, which is quoted too (preset fp32), is no sum of an add "
            "and a multiply of this source",
        ),
        ArithmeticComparison(
            "int32",
            presets["int32"],
            macs,
            mac_ratio_problem="; it comes nearest to the claim, whether the paper means it is not known",
        ),
    )


def _network(convolutions: tuple[ConvolutionMacs, ...]) -> PaperSection:
    dense = sum(layer.padded_dense_macs for layer in convolutions)
    return PaperSection(
        "the network",
        (
            derived_step(
                "padded_dense_macs",
                "multiply-accumulates of all convolutions, taps in the padding counted",
                "kernel^2 * C_in * C_out * rows * columns",
                dense,
                "MAC",
                source=NETWORK_SOURCE,
            ),
            derived_step(
                "border_aware_macs",
                "the same without taps in the padding, as nmdeploy counts elsewhere",
                "taps that meet an input",
                sum(layer.border_aware_macs for layer in convolutions),
                "MAC",
                source=NETWORK_SOURCE,
            ),
            derived_step(
                "two_flop_a_mac", "the 6.97e9 FLOPs of the paper: two a MAC", f"2 * {dense:,}", 2 * dense, "FLOP"
            ),
        ),
    )


def _conclusions(comparisons: tuple[ArithmeticComparison, ...]) -> tuple[str, ...]:
    gpu_j, truenorth_j = ROUNDED_ENERGIES_J
    on_gpu = ALL_STEPS_ENERGY_J / GPU_ENERGY_J
    found = "; ".join(
        f"{one.number_format} {one.claimed_ratio:,.0f} ({one.mac_ratio:,.0f} with MACs)" for one in comparisons
    )
    losses = " and ".join(f"{one.all_steps_ratio:.1f} times ({one.number_format})" for one in comparisons)
    return (
        f"{TRUENORTH_CLAIM} times: reproduced ({gpu_j / truenorth_j:.1f}), by taking operations of a step for those of "
        f"a second. With all steps the spiking network takes {on_gpu:.1f} times the energy of the GPU.",
        f"{ARITHMETIC_CLAIM} times: time steps are left out. Its parts give {found}. With all steps the "
        f"spiking network takes {losses} the energy of the trained one.",
        "Nothing here was measured: it is arithmetic on published figures. That the operations are of one time step, "
        "on which the last figure of each claim rests, is our reading.",
    )
