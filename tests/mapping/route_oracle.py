"""Messages and routes counted naively: every spike walks every step of its way."""

from __future__ import annotations

from collections import Counter
from itertools import product

from synapse_oracle import list_synapses


def messages_of(network, placement, rate_of):
    """Messages from core record to core record; `rate_of(core, tile)` is the spikes of each neuron of a tile."""
    home, rates = {}, {}
    for index, record in enumerate(placement.cores):
        for tile in record.tiles:
            for neuron in product(*(range(*box) for box in (tile.channels, tile.rows, tile.columns))):
                home[tile.population, neuron] = index
                rates[tile.population, neuron] = rate_of(index, tile)
    messages = Counter()
    for projection in network.projections:
        reached = {
            (source, home[projection.target, target]) for source, target, _, _ in list_synapses(projection)
        }
        for source, target_core in sorted(reached):
            neuron = projection.source, source
            messages[home[neuron], target_core] += rates[neuron]
    return messages


def walk(start, stop):
    """Links from router to router, first along x, then along y."""
    x, y = start
    while x != stop[0]:
        following = x + (1 if stop[0] > x else -1)
        yield (x, y), (following, y)
        x = following
    while y != stop[1]:
        following = y + (1 if stop[1] > y else -1)
        yield (x, y), (x, following)
        y = following


def routers(placement, profile):
    """Router of each core record on the grid of all chips."""
    columns, rows = profile.mesh.routers_x.value, profile.mesh.routers_y.value
    addresses = [record.address for record in placement.cores]
    chips_of_row = (profile.mesh.chip_columns or profile.mesh.chips).value
    places = [(address.chip % chips_of_row, address.chip // chips_of_row) for address in addresses]
    return [
        (column * columns + address.x, row * rows + address.y)
        for (column, row), address in zip(places, addresses, strict=True)
    ]


def loads_of(messages, places):
    """Messages over each link."""
    loads = Counter()
    for (source, target), amount in messages.items():
        for link in walk(places[source], places[target]):
            loads[link] += amount
    return loads
