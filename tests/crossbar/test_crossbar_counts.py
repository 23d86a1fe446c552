"""Operation counts on crossbars equal a count column by column, axon by axon, entry by entry."""

from collections import Counter

import chip_steps
import drawn_networks as drawn
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.crossbar_program import TO_HOST
from mapping.placement import HOST
from mapping.placement_options import PlacementOptions
from mapping.violation import DoesNotFitError
from nmdeploy.energy.count_operations import count_operations
from nmdeploy.errors import QuantizationError
from nmdeploy.pipeline_crossbars import lower
from nmdeploy.simulator import simulate

SETTINGS = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
SIDE = 2
CHIPS_IN_A_ROW = 2


def boards(axons, neurons):
    """Crossbars on chips of 2 x 2 cores, two chips in a row, so that many routes leave a chip."""
    data = drawn.crossbars(axons, neurons).model_dump()
    data["mesh"]["routers_x"]["value"] = data["mesh"]["routers_y"]["value"] = SIDE
    data["mesh"]["chips"]["value"] = 400
    data["mesh"]["chip_columns"]["value"] = CHIPS_IN_A_ROW
    return CrossbarProfile.model_validate(data)


@st.composite
def runs(draw):
    profile = boards(draw(st.integers(24, 64)), draw(st.integers(8, 40)))
    try:
        narrow, _ = drawn.narrow(draw(drawn.float_networks(largest=3)), profile)
        _, _, network = drawn.quantized(narrow, profile, timesteps=draw(st.integers(1, 6)))
        counts = {one.name: np.ones((1, one.neuron_count), dtype=np.int64) for one in network.populations}
        mapped = lower(network, profile, PlacementOptions(effort="none"), counts)
    except (DoesNotFitError, QuantizationError):
        assume(False)
    samples = drawn.samples(mapped.network, draw(st.integers(1, 3)))
    return profile, mapped, samples, simulate(mapped.network, samples, engine="numpy").spike_counts


def place(neuron, shape):
    return tuple(int(index) for index in np.unravel_index(neuron, shape))


def tile_of(placement, core, population, where):
    for tile in placement.cores[core].tiles:
        inside = zip(where, (tile.channels, tile.rows, tile.columns), strict=True)
        if tile.population == population and all(start <= index < stop for index, (start, stop) in inside):
            return core, tile
    raise AssertionError(f"no tile of {population} holds {where} in core {core}")


def grid(address):
    """Router of a core on the grid of all chips."""
    row, column = divmod(address.chip, CHIPS_IN_A_ROW)
    return column * SIDE + address.x, row * SIDE + address.y


def counted_by_hand(mapped, samples, spikes):
    """Counters by (core, tile), and those of the host by population."""
    network, placement, columns = mapped.network, mapped.placement, mapped.program.columns
    found = {(core, tile): Counter() for core, record in enumerate(placement.cores) for tile in record.tiles}
    entries = entries_met(mapped, spikes)
    seen = set()
    for position, core in enumerate(columns.core.tolist()):
        population, neuron = network.populations[columns.population[position]], int(columns.neuron[position])
        where, fired = place(neuron, population.shape), int(spikes[population.name][neuron])
        count = found[tile_of(placement, core, population.name, where)]
        count["updates"] += len(samples) * network.timesteps
        has_bias = bool(np.broadcast_to(population.bias, population.shape)[where])
        count["bias"] += len(samples) * network.timesteps * has_bias
        count["resets"] += fired
        count.update(of_message(placement, core, int(columns.target_core[position]), fired))
        count.update(entries(core, population, neuron))
        if (population.name, neuron) not in seen:
            seen.add((population.name, neuron))
            count["spikes"] += fired
    host = {one.name: Counter() for one in network.populations if one.on_host}
    axons = mapped.program.axons
    for number, neuron in zip(axons.projection.tolist(), axons.source_neuron.tolist(), strict=True):
        source = network.projections[number].source
        if source in host:
            host[source]["messages"] += int(spikes[source][neuron])
    return found, host


def of_message(placement, core, target, fired):
    """What the spikes of a column are on their way."""
    if target == TO_HOST:
        return Counter(messages=fired, off_chip=fired)
    here, there = placement.cores[core].address, placement.cores[target].address
    (from_x, from_y), (to_x, to_y) = grid(here), grid(there)
    return Counter(
        messages=fired,
        off_chip=fired * (here.chip != there.chip),
        hops_x=fired * abs(from_x - to_x),
        hops_y=fired * abs(from_y - to_y),
    )


def entries_met(mapped, spikes):
    """A function of core, population and neuron: spikes that meet entries of 1 of one column, by projection."""
    axons, projections = mapped.program.axons, mapped.network.projections
    weights = [
        {(source, target): int(one.weights[where]) for source, target, where in chip_steps.synapses(one)}
        for one in projections
    ]
    drivers = {}
    listed = (axons.core.tolist(), axons.projection.tolist(), axons.source_neuron.tolist())
    for core, number, source in zip(*listed, strict=True):
        drivers.setdefault(core, Counter())[number, source] += 1

    def met(core, population, neuron):
        count = Counter()
        for (number, source), times in drivers.get(core, {}).items():
            one = projections[number]
            if one.target == population.name and (source, neuron) in weights[number]:
                assert times == len(one.axon_types)
                row = population.type_weights[place(neuron, population.shape)[0]]
                entries = fewest_entries(one.axon_types, row, weights[number][source, neuron])
                count[one.name] += int(spikes[one.source][source]) * entries
        return count

    return met


def fewest_entries(axon_types, type_weights, weight):
    """Entries of 1 that make a weight, of all sets of axons the smallest."""
    best = None
    for chosen in range(1 << len(axon_types)):
        used = [kind for number, kind in enumerate(axon_types) if chosen >> number & 1]
        if sum(int(type_weights[kind]) for kind in used) == weight and (best is None or len(used) < best):
            best = len(used)
    assert best is not None
    return best


@SETTINGS
@given(runs())
def test_counts_are_those_of_all_columns_axons_and_entries(run):
    profile, mapped, samples, spike_counts = run
    network, placement = mapped.network, mapped.placement
    counts = count_operations(network, placement, profile, samples, spike_counts, program=mapped.program)
    spikes = {name: one.sum(axis=0, dtype=np.int64) for name, one in spike_counts.items()}
    found, host = counted_by_hand(mapped, samples, spikes)
    told = list(counts.tiles)
    by_hand = [(str(placement.cores[core].address), tile.population, one) for (core, tile), one in found.items()]
    assert [(one.core, one.population) for one in told] == [
        *((core, name) for core, name, _ in by_hand), *((HOST, name) for name in host)
    ]
    copies = len(mapped.program.columns.core) - sum(one.neuron_count for one in network.populations if not one.on_host)
    event("copies" if copies else "no copies")
    event("several chips" if placement.chip_count > 1 else "one chip")
    for one, (_, name, expected) in zip(told, by_hand, strict=False):
        assert one.neuron_updates == expected["updates"]
        assert one.bias_additions == expected["bias"]
        assert one.spikes == expected["spikes"]
        assert one.resets == expected["resets"]
        assert (one.messages, one.off_chip_messages) == (expected["messages"], expected["off_chip"])
        assert (one.hops_x, one.hops_y) == (expected["hops_x"], expected["hops_y"])
        assert one.input_mac_dense == one.input_additions == 0
        assert {each.name: (each.ac_dense, each.ac_effective) for each in one.projections} == {
            each.name: (expected[each.name], expected[each.name])
            for each in network.incoming(name)
        }


@SETTINGS
@given(runs())
def test_the_host_is_a_core_of_its_own(run):
    profile, mapped, samples, spike_counts = run
    network = mapped.network
    counts = count_operations(network, mapped.placement, profile, samples, spike_counts, program=mapped.program)
    spikes = {name: one.sum(axis=0, dtype=np.int64) for name, one in spike_counts.items()}
    _, host = counted_by_hand(mapped, samples, spikes)
    told = {one.population: one for one in counts.tiles if one.core == HOST}
    assert set(told) == set(host)
    for name, one in told.items():
        population = network.population(name)
        assert one.messages == one.off_chip_messages == host[name]["messages"]
        assert one.hops_x == one.hops_y == 0
        assert one.spikes == spikes[name].sum()
        assert one.neuron_updates == population.neuron_count * network.timesteps * len(samples)
        for into, each in zip(network.incoming(name), one.projections, strict=True):
            links = list(chip_steps.synapses(into))
            assert each.ac_dense == sum(int(spikes[into.source][source]) for source, _, _ in links)
            assert each.ac_effective == sum(
                int(spikes[into.source][source]) for source, _, where in links if into.weights[where]
            )
        currents = list(network.input_currents(name))
        taps = sum(
            int((one.connectivity.row_uses.sum() * one.connectivity.column_uses.sum()) * one.weights[..., 0, 0].size)
            for one in currents
        )
        assert one.input_mac_dense == taps * len(samples)
        assert one.input_additions == population.neuron_count * bool(currents) * network.timesteps * len(samples)


def test_messages_need_a_program():
    network = drawn.narrow(drawn_chain(), drawn.TRUENORTH)[0]
    _, _, made = drawn.quantized(network, drawn.TRUENORTH)
    counts = {one.name: np.ones((1, one.neuron_count), dtype=np.int64) for one in made.populations}
    mapped = lower(made, drawn.TRUENORTH, PlacementOptions(effort="none"), counts)
    samples = drawn.samples(made, 1)
    spike_counts = simulate(mapped.network, samples).spike_counts
    with pytest.raises(ValueError, match="those of a program"):
        count_operations(mapped.network, mapped.placement, drawn.TRUENORTH, samples, spike_counts)


def drawn_chain():
    """Two dense layers."""
    shape = (3, 1, 1)
    weights = np.random.default_rng(0).normal(size=(3, 3, 1, 1))
    return drawn.build_spiking_network(
        shape,
        [drawn.population("first", shape), drawn.population("out", shape, "none", is_output=True)],
        [
            drawn.projection(drawn.INPUT, "first", drawn.dense(shape, shape), weights),
            drawn.projection("first", "out", drawn.dense(shape, shape), weights),
        ],
    )
