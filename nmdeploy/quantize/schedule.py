"""When each population's window starts, and the extra delays that make all paths meet."""

from __future__ import annotations

from hw_profiles.profile import HardwareProfile
from nmdeploy.errors import QuantizationError
from nmdeploy.spiking.network import INPUT, SpikingNetwork


def start_steps(network: SpikingNetwork, leads: dict[str, int]) -> dict[str, int]:
    """First step of each population's first window: the longest path from the input, in projections and leads.

    Parameters
    ----------
    network : SpikingNetwork
    leads : dict of population name to int
        Steps of its window before a population's first firing step.

    Returns
    -------
    dict of population name to int
        0 for populations that only the input reaches.
    """
    starts: dict[str, int] = {}
    for population in network.populations:
        sources = [projection.source for projection in network.incoming(population.name)]
        starts[population.name] = max(
            (starts[name] + leads[name] + 1 for name in sources if name != INPUT), default=0
        )
    return starts


def extra_delays(
    network: SpikingNetwork, starts: dict[str, int], leads: dict[str, int], profile: HardwareProfile
) -> dict[str, int]:
    """Steps by which each projection between populations is delayed beyond the one it takes anyway.

    Raises
    ------
    QuantizationError
        A shortcut spans more populations than the delay field allows.
    """
    longest = profile.number_formats.delay_max.value
    delays = {
        projection.name: starts[projection.target] - starts[projection.source] - leads[projection.source] - 1
        for projection in network.projections
        if projection.source != INPUT
    }
    too_long = [f"{name} needs {delay} steps" for name, delay in delays.items() if delay > longest]
    if too_long:
        raise QuantizationError(
            f"delays beyond the {longest} steps of {profile.name}: {'; '.join(too_long)}. Shorten the shortcut."
        )
    return delays
