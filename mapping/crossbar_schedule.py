"""Start steps and delays that let the spikes of every path arrive in step, and relays where delays are too long."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.crossbar_relays import Part, Relay, with_relays
from mapping.network import ChipNetwork, Projection, build_graph


class DelayTooLongError(Exception):
    """No start steps keep the delays within what neurons can hold.

    Attributes
    ----------
    delays : dict of str to int
        Extra steps that each projection with too long a delay would need.
    """

    def __init__(self, delays: dict[str, int]) -> None:
        self.delays = delays
        super().__init__(f"delays too long: {delays}")


def scheduled(network: ChipNetwork, profile: CrossbarProfile) -> ChipNetwork:
    """Set the start step of every population and the delay of every projection.

    Populations start as early as they can; those on the host that do not read the sample as late as they can.

    Parameters
    ----------
    network : ChipNetwork
        Without cycles.
    profile : CrossbarProfile

    Returns
    -------
    ChipNetwork
        ``start_step(target) = start_step(source) + 1 + delay`` for every projection.

    Raises
    ------
    ValueError
        There is a cycle.
    DelayTooLongError
        A neuron would have to hold a spike for longer than it can, whatever the start steps.
    """
    starts = _starts(network, profile)
    populations = [replace(population, start_step=starts[population.name]) for population in network.populations]
    projections = [
        replace(projection, delay=starts[projection.target] - starts[projection.source] - 1)
        for projection in network.projections
    ]
    return replace(network, graph=build_graph(populations, projections))


def with_delay_relays(network: ChipNetwork, delays: dict[str, int], profile: CrossbarProfile) -> ChipNetwork:
    """Put relays into projections, as many as a delay of so many steps takes.

    Parameters
    ----------
    network : ChipNetwork
    delays : dict of str to int
        Of each projection that is to get relays, by name.
    profile : CrossbarProfile
    """
    reach = profile.number_formats.delay_max.value
    for name, delay in delays.items():
        for _ in range(-(-(delay + 1) // reach) - 1):
            projection = next(one for one in network.projections if one.name == name)
            relay = Relay(unused_name(network, f"{name}.delay"), projection.source, (Part.whole(projection),))
            network = with_relays(network, [relay])
    return network


def unused_name(network: ChipNetwork, name: str, taken: Collection[str] = ()) -> str:
    """The name, or with a number, so that no population has it yet."""
    number, found = 1, name
    while found in network.graph or found in taken:
        number += 1
        found = f"{name}{number}"
    return found


def _starts(network: ChipNetwork, profile: CrossbarProfile) -> dict[str, int]:
    """The least start steps of which none contradicts another, if those of the constant sources are left out."""
    reach = profile.number_formats.delay_max.value
    constant = _constant_sources(network)
    projections = [one for one in network.projections if one.source not in constant]
    starts = {population.name: 0 for population in network.populations}
    soonest = {one.name: 1 for one in projections}
    held = [one for one in projections if not network.population(one.source).on_host]
    soonest |= {one.name: profile.number_formats.delay_min.value for one in held}
    for sweep in range(len(starts) + 1):
        before = dict(starts)
        for projection in projections:
            starts[projection.target] = max(
                starts[projection.target], starts[projection.source] + soonest[projection.name]
            )
        if not sweep:
            earliest = dict(starts)
        for projection in reversed(held):
            starts[projection.source] = max(starts[projection.source], starts[projection.target] - reach)
        if starts == before:
            break
    else:
        delays = _too_long(held, earliest, reach)
        if not delays:
            raise ValueError("no start steps balance a cycle")
        raise DelayTooLongError(delays)
    for name in constant:
        starts[name] = min((starts[one.target] for one in network.outgoing(name)), default=1) - 1
    return _from_zero(starts)


def _constant_sources(network: ChipNetwork) -> list[str]:
    """Populations on the host that read neither the sample nor another population."""
    return [
        population.name
        for population in network.populations
        if population.on_host
        and not any(network.incoming(population.name))
        and not any(network.input_currents(population.name))
    ]


def _too_long(held: list[Projection], starts: dict[str, int], reach: int) -> dict[str, int]:
    delays = {one.name: starts[one.target] - starts[one.source] - 1 for one in held}
    return {name: delay for name, delay in delays.items() if delay >= reach}


def _from_zero(starts: dict[str, int]) -> dict[str, int]:
    """The same steps, moved so that the first is 0."""
    first = min(starts.values(), default=0)
    return {name: start - first for name, start in starts.items()}
