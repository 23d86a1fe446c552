"""Energy, accuracy and latency over the number of time steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated

from pydantic import Field

from hw_profiles import MeshProfile
from hw_profiles.energy import EnergyPreset
from mapping.crossbar_program import CrossbarProgram
from mapping.network import ChipNetwork
from mapping.placement import Placement
from nmdeploy.analysis.scores import Tally
from nmdeploy.analysis.windows import Expected
from nmdeploy.decode import decode
from nmdeploy.energy.count_operations import count_operations
from nmdeploy.energy.events import Counting, InputConvention
from nmdeploy.energy.report import EnergyReport
from nmdeploy.simulator import Simulator

Share = Annotated[float, Field(ge=0, le=1)]
# finite, and small enough for the axes of a figure
Amount = Annotated[float, Field(ge=0, le=1e30)]


@dataclass(frozen=True)
class EnergyPoint:
    """A window of so many steps.

    Attributes
    ----------
    timesteps : int
    latency_steps : int
        From the first step of a sample to its result.
    accuracy, agreement : float or None
        Share of the samples decided as labelled, and as by the float network; None without labels, or where outputs
        decide nothing.
    error : float or None
        Of all outputs against those of the float network (`nmdeploy.analysis.scores.Score`).
    energy_pj, spikes : float
        Of one inference.
    is_pareto : bool
        No other point is at least as good in quality, energy and latency, and better in one of them.
    """

    timesteps: Annotated[int, Field(ge=1)]
    latency_steps: Annotated[int, Field(ge=1)]
    accuracy: Share | None
    agreement: Share | None
    error: Amount | None
    energy_pj: Amount
    spikes: Amount
    is_pareto: bool

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def energy_curve(
    network: ChipNetwork,
    placement: Placement,
    profile: MeshProfile,
    expected: Expected,
    windows: Sequence[int],
    preset: EnergyPreset,
    *,
    counting: Counting = "dense",
    input_convention: InputConvention = "cached",
    memory_bytes: int | None = None,
    progress: Callable[[int], None] | None = None,
    program: CrossbarProgram | None = None,
) -> list[EnergyPoint]:
    """Run windows of different lengths, each by itself, all of the network as compiled.

    Parameters
    ----------
    network : ChipNetwork
    placement : Placement
    profile : MeshProfile
    expected : Expected
    windows : sequence of int
        Steps.
    preset : EnergyPreset
    counting, input_convention
        See `nmdeploy.energy.events.tile_events`.
    memory_bytes : int, optional
        See `nmdeploy.simulator.simulate`.
    progress : callable, optional
        Called with the number of samples just finished, of samples x windows.
    program : CrossbarProgram, optional
        Of a chip of crossbars.

    Returns
    -------
    list of EnergyPoint
        In the order of `windows`.
    """
    samples = expected.samples
    simulator = Simulator(network)
    points = []
    for window in windows:
        result = simulator.run(samples, timesteps=window, memory_bytes=memory_bytes, progress=progress)
        counts = count_operations(
            network, placement, profile, samples, result.spike_counts, timesteps=window, program=program
        )
        tally = Tally(network)
        tally.add(decode(network, result.potentials, window), expected.reference, expected.labels)
        score = tally.score()
        report = EnergyReport(counts, preset, counting, input_convention)
        points.append(
            EnergyPoint(
                timesteps=window,
                latency_steps=counts.latency_steps,
                accuracy=score.accuracy,
                agreement=score.agreement,
                error=score.error,
                energy_pj=report.total.energy_pj,
                spikes=report.spikes,
                is_pareto=False,
            )
        )
    return [replace(one, is_pareto=not any(_better(other, one) for other in points)) for one in points]


def _better(one: EnergyPoint, other: EnergyPoint) -> bool:
    """Whether `one` is at least as good as `other` in everything, and better in something."""
    costs = [
        (one.energy_pj, other.energy_pj),
        (one.latency_steps, other.latency_steps),
        (-_quality(one), -_quality(other)),
    ]
    return all(mine <= theirs for mine, theirs in costs) and any(mine < theirs for mine, theirs in costs)


def _quality(point: EnergyPoint) -> float:
    """Accuracy where there are labels, else agreement, else how small the error is."""
    for share in (point.accuracy, point.agreement):
        if share is not None:
            return share
    return -(point.error or 0.0)
