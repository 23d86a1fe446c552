"""Networks with single parts exchanged."""

from __future__ import annotations

from dataclasses import replace

from mapping.network import build_graph


def rebuilt(network, populations=None, projections=None, **changes):
    """The network with some populations and projections exchanged."""
    populations, projections = populations or {}, projections or {}
    graph = build_graph(
        [populations.get(item.name, item) for item in network.populations],
        [projections.get(item.name, item) for item in network.projections],
    )
    return replace(network, graph=graph, **changes)


def population(network, name, **changes):
    return rebuilt(network, {name: replace(network.population(name), **changes)})


def projection(network, chosen_name, **changes):
    chosen = next(item for item in network.projections if item.name == chosen_name)
    return rebuilt(network, projections={chosen_name: replace(chosen, **changes)})
