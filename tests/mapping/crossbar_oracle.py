"""Broken rules of a crossbar program, counted one entry at a time in dictionaries."""

from __future__ import annotations

from collections import Counter, defaultdict

from crossbar_examples import needed_axons, neurons_of_tile, read_by_host

from mapping.crossbar_program import TO_HOST


def listed(table):
    """Entries of columns or axons as tuples of int."""
    return list(zip(*(getattr(table, name).tolist() for name in table.__dataclass_fields__), strict=True))


def naive_counts(example):
    """How often each rule of the program is broken, by rule and core.

    For networks and placements that are legal and whose cores have room for what they need.
    """
    network, profile = example.network, example.profile
    names = [one.name for one in network.populations]
    projections = network.projections
    cores = len(example.placement.cores)
    dealt = [record.tiles for record in example.placement.cores]
    wanted = needed_axons(network, dealt)
    read = read_by_host(network)
    home = {
        (tile.population, neuron): core
        for core, tiles in enumerate(dealt)
        for tile in tiles
        for neuron in neurons_of_tile(network, tile)
    }
    broken = Counter()

    axons_at, known_axons, served = {}, {}, Counter()
    seen = set()
    for row, (core, axon, kind, number, source, copy) in enumerate(listed(example.program.axons)):
        lies = 0 <= core < cores and 0 <= axon < profile.crossbar.axons.value
        if lies:
            broken["NMD807", core] += (core, axon) in seen
            seen.add((core, axon))
            axons_at[core, axon] = row
        if not (lies and is_copy(network, projections, number, source, copy)):
            broken["NMD805", core] += 1
            continue
        known_axons[row] = (projections[number], source)
        broken["NMD808", core] += kind != projections[number].axon_types[copy]
        broken["NMD810", core] += (core, number, source, copy) not in wanted or (core, number, source, copy) in served
        served[core, number, source, copy] += 1
    for entry in wanted - set(served):
        broken["NMD809", entry[0]] += 1

    drivers, columns, to_host = Counter(), Counter(), Counter()
    seen = set()
    formats = profile.number_formats
    for core, column, number, neuron, target, axon, delay in listed(example.program.columns):
        lies = 0 <= core < cores and 0 <= column < profile.crossbar.neurons.value
        if lies:
            broken["NMD806", core] += (core, column) in seen
            seen.add((core, column))
        known = lies and 0 <= number < len(names) and (names[number], neuron) in home
        broken["NMD804", core] += not known
        late = not formats.delay_min.value <= delay <= formats.delay_max.value
        broken["NMD818", core] += late
        aim = axons_at.get((target, axon))
        broken["NMD813", core] += aim is None and (target, axon) != (TO_HOST, 0)
        if lies and aim is not None:
            drivers[aim] += 1
        if not known:
            continue
        name = names[number]
        broken["NMD811", core] += home[name, neuron] != core
        columns[name, neuron] += 1
        if (target, axon) == (TO_HOST, 0):
            to_host[name, neuron] += 1
            allowed = {
                1 + one.delay for one in projections if one.source == name and network.population(one.target).on_host
            }
            broken["NMD817", core] += bool(allowed) and delay not in allowed and not late
        elif aim in known_axons:
            projection, source = known_axons[aim]
            broken["NMD814", core] += (projection.source, source) != (name, neuron)
            broken["NMD817", core] += delay != 1 + projection.delay and not late

    for row, (core, *_) in enumerate(listed(example.program.axons)):
        broken["NMD815", core] += drivers[row] > 1
        if row in known_axons and not network.population(known_axons[row][0].source).on_host:
            broken["NMD816", core] += drivers[row] == 0
    driven = defaultdict(int)
    for _, number, source, _ in wanted:
        driven[projections[number].source, source] += 1
    for neuron, core in home.items():
        broken["NMD812", core] += columns[neuron] == 0
        broken["NMD819", core] += neuron in read and columns[neuron] > 0 and to_host[neuron] == 0
        broken["NMD820", core] += to_host[neuron] > (neuron in read or driven[neuron] == 0)
    return {place: count for place, count in broken.items() if count}


def is_copy(network, projections, number, source, copy):
    """Whether a projection into the chip has this copy of a source neuron."""
    if not 0 <= number < len(projections):
        return False
    projection = projections[number]
    return (
        not network.population(projection.target).on_host
        and 0 <= source < network.population(projection.source).neuron_count
        and 0 <= copy < len(projection.axon_types)
    )
