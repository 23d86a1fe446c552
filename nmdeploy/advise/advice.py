"""What a network takes on a target, layer by layer, and what to change where that is too much."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from nmdeploy.advise.change import Change, parameters
from nmdeploy.advise.mapped import MappedLayer, MappedNetwork, Mapper
from nmdeploy.advise.proposals import Goal, Proposal, Search, macs
from nmdeploy.errors import NmdeployError
from nmdeploy.layers.graph import LayerGraph
from nmdeploy.layers.verify import verify


@dataclass(frozen=True)
class Advice:
    """The answer.

    Attributes
    ----------
    unit : str
        What is counted as cores, in the plural.
    before : MappedNetwork
        The network as it is.
    parameters, macs : int
        Of the network as it is, without spikes.
    wanted : tuple of (str, Goal)
        Layers for which changes were looked for, and to what end.
    proposals : tuple of Proposal
    without : tuple of (str, Goal)
        Those of `wanted` that no single change of a layer brings about.
    left_out : tuple of str
        What there was no time for.
    notes : tuple of str
        What cannot be quantised, and why.
    """

    unit: str
    before: MappedNetwork
    parameters: int
    macs: int
    wanted: tuple[tuple[str, Goal], ...]
    proposals: tuple[Proposal, ...]
    without: tuple[tuple[str, Goal], ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


def advise(
    graph: LayerGraph,
    mapper: Mapper,
    *,
    most_layers: int,
    time_limit_seconds: float,
    announce: Callable[[str], None] = lambda name: None,
    clock: Callable[[], float] = time.monotonic,
) -> Advice:
    """Map a network, and look for the smallest changes of it.

    Parameters
    ----------
    graph : LayerGraph
        As traced.
    mapper : Mapper
        Of the target.
    most_layers : int
        Of a network that fits and is summed exactly, changes are looked for of so many layers, those of most cores.
    time_limit_seconds : float
        After which no further change is tried; the network as it is is always mapped.
    announce : callable
        Called with what is done next.
    clock : callable
        In seconds.

    Raises
    ------
    UnsupportedNetworkError, QuantizationError, NmdeployError
        The network cannot be converted for the target.
    """
    problems = verify(graph)
    if problems:
        raise NmdeployError("the layer graph is not sound: " + "; ".join(problems))
    deadline = clock() + time_limit_seconds
    announce("map the network as it is")
    before = mapper.mapped(graph, bounded=True)
    wanted = _wanted(before, most_layers)
    search = Search(graph, mapper, before, deadline, clock)
    changes: dict[str, list[Change]] = {}
    for layer, goal in wanted:
        announce(f"changes for {layer.name}")
        changes[layer.name] = search.changes_for(layer, goal)
    goals = [goal for _, goal in wanted]
    found: list[Proposal] = []
    if goals and goals[0] in ("fits", "exact"):
        announce("all layers together")
        of_groups = search.together(changes, "groups", goals[0])
        of_channels = search.together(changes, "channels", goals[0])
        found += [one for one in (of_groups, of_channels) if one is not None]
        if len(found) == 2 and found[0].changes == found[1].changes:
            found.pop()
    announce("weights")
    found = [*search.sums_in_parts(), *search.narrower_weights(), *found]
    for layer, goal in wanted:
        announce(f"cores of the changes for {layer.name}")
        found += [search.proposal(layer.name, goal, (change,)) for change in changes[layer.name]]
    # first what concerns one layer, in the order in which it was looked for
    found.sort(key=lambda one: one.layer is None)
    without = tuple(
        (layer.name, goal)
        for layer, goal in wanted
        if not changes[layer.name] and not any(one.endswith(f" for {layer.name}") for one in search.left_out)
    )
    names = tuple((layer.name, goal) for layer, goal in wanted)
    return Advice(
        unit=mapper.unit,
        before=before,
        parameters=parameters(graph),
        macs=macs(graph),
        wanted=names,
        proposals=tuple(found),
        without=without,
        left_out=tuple(search.left_out),
        notes=tuple(search.notes),
    )


def _wanted(before: MappedNetwork, most_layers: int) -> list[tuple[MappedLayer, Goal]]:
    """Layers to look for changes of, those of most cores first, and to what end."""
    largest = sorted(before.layers, key=lambda layer: -(layer.share or 0.0))
    wanted: list[tuple[MappedLayer, Goal]] = [(layer, "fits") for layer in largest if layer.refusals]
    if before.cores is not None or not wanted:
        wanted += [(layer, "exact") for layer in largest if not layer.is_exact and not layer.refusals]
    on_chip = [layer for layer in largest if not layer.on_host][:most_layers]
    of_network = len(before.refusals) > sum(len(layer.refusals) for layer in before.layers)
    if of_network:
        wanted += [(layer, "fits") for layer in on_chip if not layer.refusals]
    if wanted or before.cores is None:
        return wanted
    goal: Goal = "fewer chips" if before.chips is not None and before.chips > 1 else "fewer cores"
    return [(layer, goal) for layer in on_chip if (layer.cores or 0) > 1]
