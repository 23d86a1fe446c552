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

SETTINGS = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
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
    network, placement = mapped.network, mapped.placement
    columns, axons = mapped.program.columns, mapped.program.axons
    names = [one.name for one in network.populations]
    projections = network.projections
    found = {(core, tile): Counter() for core, record in enumerate(placement.cores) for tile in record.tiles}
    # weights by projection, source and target neuron
    weights = [
        {(source, target): int(one.weights[where]) for source, target, where in chip_steps.synapses(one)}
        for one in projections
    ]
    axons_of_core = {}
    for position, core in enumerate(axons.core.tolist()):
        axons_of_core.setdefault(core, []).append(position)
    for position, core in enumerate(columns.core.tolist()):
        name, neuron = names[columns.population[position]], int(columns.neuron[position])
        population = network.population(name)
        where = place(neuron, population.shape)
        count = found[tile_of(placement, core, name, where)]
        fired = int(spikes[name][neuron])
        count["updates"] += len(samples) * network.timesteps
        count["bias"] += len(samples) * network.timesteps * bool(np.broadcast_to(population.bias, population.shape)[where])
        count["resets"] += fired
        count["messages"] += fired
        target = int(columns.target_core[position])
        if target == TO_HOST:
            count["off_chip"] += fired
        else:
            here, there = placement.cores[core].address, placement.cores[target].address
            count["off_chip"] += fired * (here.chip != there.chip)
            count["hops_x"] += fired * abs(grid(here)[0] - grid(there)[0])
            count["hops_y"] += fired * abs(grid(here)[1] - grid(there)[1])
        reached = Counter()
        for axon in axons_of_core.get(core, []):
            number, source = int(axons.projection[axon]), int(axons.source_neuron[axon])
            if projections[number].target != name or (source, neuron) not in weights[number]:
                continue
            events = int(spikes[projections[number].source][source])
            reached[number, source] += 1
        for (number, source), times in reached.items():
            one = projections[number]
            assert times == len(one.axon_types)
            events = int(spikes[one.source][source])
            entries = fewest_entries(one.axon_types, population.type_weights[where[0]], weights[number][source, neuron])
            count[one.name] += events * entries
    seen = set()
    for position, core in enumerate(columns.core.tolist()):
        name, neuron = names[columns.population[position]], int(columns.neuron[position])
        if (name, neuron) not in seen:
            seen.add((name, neuron))
            tile = tile_of(placement, core, name, place(neuron, network.population(name).shape))
            found[tile]["spikes"] += int(spikes[name][neuron])
    host = {one.name: Counter() for one in network.populations if one.on_host}
    for position, number in enumerate(axons.projection.tolist()):
        source = projections[number].source
        if source in host:
            host[source]["messages"] += int(spikes[source][axons.source_neuron[position]])
    return found, host


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
