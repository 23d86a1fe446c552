"""What early exit saves: time steps, and operations of the steps that did not happen."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from hw_profiles import MeshProfile
from hw_profiles.energy import EnergyPreset
from mapping.crossbar_program import CrossbarProgram
from mapping.network import ChipNetwork
from mapping.placement import Placement
from nmdeploy.energy.count_operations import count_operations
from nmdeploy.energy.report import EnergyReport
from nmdeploy.simulator import SimulationResult

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class EarlyExitSaving:
    """Means over the samples, whole window and early exit side by side.

    Attributes
    ----------
    samples, timesteps : int
    check_interval : int
        Steps between two checks.
    left_early : int
        Samples decided before the end of the window.
    mean_steps : float
        Steps of the output's window.
    mean_latency_steps, whole_latency_steps : float, int
        Steps from the first step of the first population to the decision.
    spikes_per_inference, whole_spikes_per_inference : float
    preset : str
        Of the energies: dense synapses, input multiplied once.
    left_out : str
        By that preset.
    energy_pj, whole_energy_pj : float
    """

    samples: int
    timesteps: int
    check_interval: int
    left_early: int
    mean_steps: float
    mean_latency_steps: float
    whole_latency_steps: int
    spikes_per_inference: float
    whole_spikes_per_inference: float
    preset: str
    left_out: str
    energy_pj: float
    whole_energy_pj: float

    @property
    def latency_saved(self) -> float:
        """Share of the latency, 0 to 1."""
        return 1 - self.mean_latency_steps / self.whole_latency_steps

    @property
    def energy_saved(self) -> float:
        """Share of the energy, 0 to 1."""
        return 1 - self.energy_pj / self.whole_energy_pj if self.whole_energy_pj else 0.0

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {**asdict(self), "latency_saved": self.latency_saved, "energy_saved": self.energy_saved}


def early_exit_saving(
    network: ChipNetwork,
    placement: Placement,
    profile: MeshProfile,
    samples: NDArray[np.float32],
    whole: SimulationResult,
    early: SimulationResult,
    check_interval: int,
    preset: EnergyPreset,
    program: CrossbarProgram | None = None,
) -> EarlyExitSaving:
    """Compare two runs of the same samples.

    The accumulates of a spike are counted with the step that sends it, so those of spikes under way when the chip
    stops are not saved.

    Parameters
    ----------
    network : ChipNetwork
    placement : Placement
    profile : MeshProfile
    samples : float32 array, (samples, channels, rows, columns)
        Preprocessed.
    whole, early : SimulationResult
        Of whole windows, and with early exit.
    check_interval : int
    preset : EnergyPreset
    program : CrossbarProgram, optional
        Of a chip of crossbars.
    """
    timesteps = whole.potentials.shape[1]

    def energy_pj(result: SimulationResult) -> float:
        steps = population_steps(network, result.steps, timesteps)
        counts = count_operations(
            network, placement, profile, samples, result.spike_counts, timesteps=timesteps, steps=steps, program=program
        )
        return EnergyReport(counts, preset).total.energy_pj

    return EarlyExitSaving(
        samples=len(samples),
        timesteps=timesteps,
        check_interval=check_interval,
        left_early=int((early.steps < timesteps).sum()),
        mean_steps=float(early.steps.mean()),
        mean_latency_steps=float(early.steps.mean()) + network.outputs[0].firing_start_step,
        whole_latency_steps=timesteps + network.outputs[0].firing_start_step,
        spikes_per_inference=_spikes(early) / len(samples),
        whole_spikes_per_inference=_spikes(whole) / len(samples),
        preset=preset.name,
        left_out=preset.left_out,
        energy_pj=energy_pj(early),
        whole_energy_pj=energy_pj(whole),
    )


def population_steps(network: ChipNetwork, output_steps: IntArray, timesteps: int) -> dict[str, IntArray]:
    """Steps that each population has been busy when the chip is stopped, its lead counted.

    Parameters
    ----------
    network : ChipNetwork
    output_steps : int64 array, (samples,)
        Firing steps of the first output; after the last one no population is stopped.
    timesteps : int
        Length of the window.
    """
    stopped = network.outputs[0].firing_start_step + output_steps
    steps = {}
    for population in network.populations:
        whole = timesteps + population.lead
        steps[population.name] = np.where(
            output_steps < timesteps, np.clip(stopped - population.start_step, 0, whole), whole
        )
    return steps


def _spikes(result: SimulationResult) -> int:
    return sum(int(counts.sum()) for counts in result.spike_counts.values())
