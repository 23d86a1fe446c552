"""Spiking-YOLO's comparison of TrueNorth with a GPU, and the same with its operations taken for those of a step."""

from __future__ import annotations

from nmdeploy.energy.paper_audit import PaperSection, PaperStep, derived_step
from nmdeploy.energy.spiking_yolo_figures import (
    CHANNEL_NORM_OPERATIONS,
    CHANNEL_NORM_TIMESTEPS,
    FLOP,
    GPU_FLOP_PER_S,
    GPU_POWER_W,
    QUOTED,
    STEP_S,
    TRUENORTH,
    TRUENORTH_CLAIM,
    TRUENORTH_OPERATIONS_PER_J,
)

GPU_FLOP_PER_J = GPU_FLOP_PER_S / GPU_POWER_W
GPU_ENERGY_J = FLOP / GPU_FLOP_PER_J
WINDOW_S = CHANNEL_NORM_TIMESTEPS * STEP_S
POWER_W = CHANNEL_NORM_OPERATIONS / TRUENORTH_OPERATIONS_PER_J
CLAIMED_ENERGY_J = POWER_W * WINDOW_S
ROUNDED_ENERGIES_J = round(GPU_ENERGY_J, 2), round(CLAIMED_ENERGY_J, 6)
"""As the paper prints them."""
ALL_STEPS_ENERGY_J = CHANNEL_NORM_OPERATIONS * CHANNEL_NORM_TIMESTEPS / TRUENORTH_OPERATIONS_PER_J


def truenorth_claim() -> PaperSection:
    """From the assumptions to the ratio of 280."""
    gpu_j, truenorth_j = ROUNDED_ENERGIES_J
    return PaperSection(
        f"the claim of {TRUENORTH_CLAIM} times: TrueNorth against a GPU",
        (
            PaperStep("paper_flop", "operations of the trained network", "", FLOP, "FLOP", "published", QUOTED),
            PaperStep(
                "gpu_flop_per_j",
                "the GPU (Titan V100): 14,000 GFLOPS at 250 W",
                "14000e9 / 250",
                GPU_FLOP_PER_J,
                "FLOP/J",
                "published",
                QUOTED,
                "rated peak and rated power of the board, no measurement of this network",
            ),
            derived_step(
                "gpu_energy_j", "energy of the trained network on the GPU", "6.97e9 / 56e9", GPU_ENERGY_J, "J"
            ),
            PaperStep(
                "channel_norm_operations",
                "operations of the spiking network, channel-wise norm",
                "",
                CHANNEL_NORM_OPERATIONS,
                "AC",
                "published",
                QUOTED,
                "of how much time, a step or a second, decides all that follows",
            ),
            PaperStep(
                "truenorth_operations_per_j",
                "TrueNorth: 400 GSOPS a watt",
                "",
                TRUENORTH_OPERATIONS_PER_J,
                "SOP/J",
                "published",
                TRUENORTH,
                "its best case; and the network does not fit as it is: a core has 256 axons (nmdeploy targets "
                "truenorth), a neuron of conv8 9,216 inputs",
            ),
            PaperStep("window_s", "3,500 time steps of 1 ms", "3500 * 0.001", WINDOW_S, "s", "published", QUOTED),
            derived_step(
                "truenorth_power_w",
                "operations over operations a joule, taken for a power",
                "4.90e7 / 400e9",
                POWER_W,
                "W",
                "these are joules; watts only if the operations are of one second, which is 1,000 steps",
            ),
            derived_step(
                "truenorth_energy_j",
                "energy of the spiking network on TrueNorth, as claimed",
                "1.225e-4 * 3.5",
                CLAIMED_ENERGY_J,
                "J",
                "operations of a step are taken for operations of a second",
            ),
            derived_step(
                "claimed_ratio",
                "the claim, with the rounding of the paper",
                f"{gpu_j} / {truenorth_j}",
                gpu_j / truenorth_j,
                "",
                f"the paper says about {TRUENORTH_CLAIM}: reproduced, with the error of the step before",
            ),
        ),
    )


def truenorth_over_all_steps(macs: int) -> PaperSection:
    """The same comparison if the operations are those of one time step.

    Parameters
    ----------
    macs : int
        Multiply-accumulates of the network, which are its synapses too.
    """
    activity = CHANNEL_NORM_OPERATIONS / macs
    return PaperSection(
        "the same if the operations are those of one time step",
        (
            PaperStep(
                "mean_activity_per_step",
                "the 4.90e7 operations are those of one time step",
                f"4.90e7 / {macs:,}",
                activity,
                "spikes a synapse",
                "assumed",
                "our reading: the mean firing rate that follows lies within the rates that the paper shows; as "
                f"operations of a whole inference they would be one spike a synapse in {1 / activity:.0f} inferences",
                "not confirmed: the text of the paper was not opened",
            ),
            derived_step(
                "truenorth_all_steps_energy_j",
                "energy of all 3,500 steps on TrueNorth",
                "4.90e7 * 3500 / 400e9",
                ALL_STEPS_ENERGY_J,
                "J",
            ),
            derived_step(
                "truenorth_all_steps_ratio",
                "times the energy of the GPU that the spiking network takes",
                f"{ALL_STEPS_ENERGY_J:.4g} / {GPU_ENERGY_J:.4g}",
                ALL_STEPS_ENERGY_J / GPU_ENERGY_J,
                "",
                "above 1: the spiking network loses",
            ),
        ),
    )
