"""Demands counted naively: every synapse listed one by one, then grouped by definition."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import product

from mapping.tiles import Demands


def list_synapses(projection):
    """Every (source neuron, target neuron, row tap, column tap) of a projection."""
    connectivity = projection.connectivity
    outputs, inputs, row_taps, column_taps = connectivity.weight_shape
    group_outputs = outputs // connectivity.groups
    synapses = []
    for output, index, y, x, k, m in product(
        range(outputs),
        range(inputs),
        range(connectivity.target_shape[1]),
        range(connectivity.target_shape[2]),
        range(row_taps),
        range(column_taps),
    ):
        row, column = int(connectivity.rows[y, k]), int(connectivity.columns[x, m])
        if row < 0 or column < 0:
            continue
        channel = connectivity.source_channels[0] + output // group_outputs * inputs + index
        target = (connectivity.target_channels[0] + output, y, x)
        synapses.append(((channel, row, column), target, k, m))
    return synapses


def inside(tile, neuron):
    boxes = (tile.channels, tile.rows, tile.columns)
    return all(start <= index < stop for (start, stop), index in zip(boxes, neuron, strict=True))


def words(compartment_runs, synapse_bits, profile):
    if profile.synapse_lists is None:
        return 0
    entry_bits = []
    for run in compartment_runs:
        left = run
        while left:
            count = min(left, profile.synapse_lists.synapses_per_entry.value)
            entry_bits.append(profile.synapse_lists.entry_prefix_bits.value + count * synapse_bits)
            left -= count
    total = sum(entry_bits)
    packed = -(-total // 64)
    if total % 64 == 0 or total % 64 >= 59:
        packed += 1
    return max(packed, sum(-(-bits // 64) for bits in entry_bits))


def runs_of(tile, synapses):
    """Run lengths of one source neuron's synapses into a tile, given as (target, row tap, column tap)."""
    row_taps, column_taps = defaultdict(set), defaultdict(set)
    for target, k, m in synapses:
        row_taps[target].add(k)
        column_taps[target].add(m)
    visits = defaultdict(list)
    for target, k, m in synapses:
        visit = (sorted(row_taps[target]).index(k), sorted(column_taps[target]).index(m))
        boxes = (tile.channels, tile.rows, tile.columns)
        channel, row, column = (value - box[0] for value, box in zip(target, boxes, strict=True))
        channels, _, columns = tile.shape
        visits[visit].append((row * columns + column) * channels + channel)
    runs = []
    for compartments in visits.values():
        previous = None
        for compartment in sorted(compartments):
            if previous is not None and compartment == previous + 1:
                runs[-1] += 1
            else:
                runs.append(1)
            previous = compartment
    return runs


def into_tile(tile, projection, synapses):
    """Input axons and words of the lists of one projection into one tile."""
    by_source = defaultdict(list)
    for source, target, k, m in synapses:
        if inside(tile, target):
            by_source[source].append((target, k, m))
    lists = {}
    for source, visited in by_source.items():
        first_row = min(target[1] for target, _, _ in visited)
        first_column = min(target[2] for target, _, _ in visited)
        shape = frozenset((c, y - first_row, x - first_column, k, m) for (c, y, x), k, m in visited)
        lists[source[0], shape] = visited
    return len(by_source), lists


def core_demands(tiles, network, profile, all_synapses):
    """Demands of a core with these tiles, but for the output axon entries."""
    costs, memory = profile.core_costs, profile.memory_costs
    compartments = axons = values = rows = reached = longest_row = 0
    sizes, formats, configurations = [], set(), set()
    largest = profile.number_formats.threshold_mantissa_max.value * 64
    for tile in tiles:
        population = network.population(tile.population)
        for channel in range(*tile.channels):
            threshold = largest if population.reset == "none" else int(population.threshold[channel])
            configurations.add((population.reset, threshold))
        incoming = list(network.incoming(tile.population))
        values += tile.neuron_count * values_kept(population, incoming)
        if population.reset == "subtract":
            compartments += tile.neuron_count * costs.compartments_per_neuron_subtractive_reset.value
            if costs.reset_synapses_per_subtractive_neuron.value:
                axons += tile.neuron_count
                formats.add("reset")
                sizes += [words([1], 8, profile)] * len(set(population.threshold[slice(*tile.channels)].tolist()))
        else:
            compartments += tile.neuron_count
        for projection in network.incoming(tile.population):
            count, lists = into_tile(tile, projection, all_synapses[projection.name])
            by_source = Counter(item[0] for item in all_synapses[projection.name] if inside(tile, item[1]))
            axons += count
            delay_bits = len(bin(projection.delay)[2:].lstrip("0"))
            bits = projection.weight_bits + delay_bits
            if count:
                exponent, sign_mode = projection.weight_exponent, projection.sign_mode
                formats.add((projection.weight_bits, exponent, sign_mode, delay_bits))
            sizes += [words(runs_of(tile, visited), bits, profile) for visited in lists.values()]
            rows += count
            reached += sum(by_source.values())
            longest_row = max([longest_row, *by_source.values()])
    memory_bytes = row_bytes = 0
    if memory is not None:
        neurons = sum(tile.neuron_count for tile in tiles)
        memory_bytes = memory.fixed_bytes.value + neurons * memory.bytes_per_neuron.value
        memory_bytes += axons * memory.bytes_per_input_axon.value
        memory_bytes += values * memory.bytes_per_value.value + sum(sizes) * memory.bytes_per_synapse_word.value
    if profile.synapse_rows is not None:
        row_bytes = rows * profile.synapse_rows.header_bytes.value
        row_bytes += reached * profile.synapse_rows.bytes_per_synapse.value
    return {
        "compartments": compartments,
        "input_axons": axons,
        "synapse_memory_words": sum(sizes),
        "words_per_axon_list": max(sizes, default=0),
        "synapse_formats": len(formats),
        "compartment_configurations": len(configurations),
        "threshold_configurations": len({threshold for _, threshold in configurations}),
        "memory_bytes": memory_bytes,
        "synapse_row_bytes": row_bytes,
        "synapses_per_row": 0 if profile.synapse_rows is None else longest_row,
    }


def values_kept(population, incoming):
    """Integers that a neuron keeps: by the rule of its model."""
    if population.model == "max_pool":
        return max(item.weights.shape[2] * item.weights.shape[3] for item in incoming)
    return {
        "if": 4,
        "imbalanced": 4 + 1,
        "signed": 4 + 1,
        "paced": 4 + 1,
    }[population.model] + (population.count_memory is not None and population.count_memory.slope_mantissa is not None)


def output_entries(placement, network, profile, all_synapses):
    """Output axon entries and target addresses of each core record."""
    home = {}
    for index, record in enumerate(placement.cores):
        for tile in record.tiles:
            for neuron in product(range(*tile.channels), range(*tile.rows), range(*tile.columns)):
                home[tile.population, neuron] = index
    entries, targets = [0] * len(placement.cores), [set() for _ in placement.cores]
    for (name, _neuron), index in home.items():
        if profile.output_axons is not None:
            resets = profile.core_costs.reset_synapses_per_subtractive_neuron.value
            entries[index] += resets * (network.population(name).reset == "subtract")
    for projection in network.projections:
        reached = {(source, home[projection.target, target]) for source, target, _, _ in all_synapses[projection.name]}
        for source, target_core in reached:
            core = home[projection.source, source]
            address = placement.cores[target_core].address
            targets[core].add(address)
            far = placement.cores[core].address.chip != address.chip
            if profile.output_axons is not None:
                entries[core] += 1 + far * profile.output_axons.entries_extra_off_chip.value
    return entries, targets


def all_demands(network, placement, profile):
    """Demands and targets of each core record, from scratch."""
    all_synapses = {projection.name: list_synapses(projection) for projection in network.projections}
    entries, targets = output_entries(placement, network, profile, all_synapses)
    demands = [
        Demands(output_axon_entries=count, **core_demands(record.tiles, network, profile, all_synapses))
        for record, count in zip(placement.cores, entries, strict=True)
    ]
    return demands, [tuple(sorted(of_core)) for of_core in targets]
