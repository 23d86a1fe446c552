"""A small network on crossbars whose cores are chosen by hand, with all that columns and axons can do.

The host's spikes go into a convolution with leaks on two cores; this is read by a population one step later, through
a relay on two cores, and directly with a delay; that one resets to zero and is read, two steps late, by two cores of
outputs, to which a source on the host that fires in every step gives a bias.
"""

from __future__ import annotations

from itertools import count

import numpy as np
from numpy.typing import NDArray

from benchmarks.crossbar_comparison import CrossbarCase
from benchmarks.synapse_list import list_synapses
from hw_profiles import load_target
from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.axon_types import weight_levels
from mapping.connectivity import Connectivity, Shape, tap_table
from mapping.crossbar_program import TO_HOST, Axons, Columns, CrossbarProgram
from mapping.network import ChipNetwork, InputProjection, Population, Projection, Reset, build_graph

TIMESTEPS = 24
SAMPLES = 5
RATIOS = (1, 2, 4, -8)
Generator = np.random.Generator
# Neuron of the population to core.
Cores = dict[str, NDArray[np.int64]]


def hand_made_crossbars() -> CrossbarCase:
    """The network, its program and samples of noise."""
    profile = load_target("truenorth")
    assert isinstance(profile, CrossbarProfile)
    generator = np.random.default_rng(7)
    network = hand_made_network(generator)
    cores = {
        "wide": np.repeat([0, 1], 18),
        "relay": np.repeat([2, 3], 18),
        "zero": np.full(8, 4),
        "head": np.array([5, 5, 5, 6, 6]),
    }
    samples = generator.uniform(0.0, 1.0, (SAMPLES, 3, 4, 4)).astype(np.float32)
    return CrossbarCase("Hand-made", network, naive_program(network, cores), 7, profile, samples)


def hand_made_network(generator: Generator) -> ChipNetwork:
    """Seeded weights, each a level that its axons can give."""
    sensed, wide = (3, 4, 4), (4, 3, 3)
    populations = [
        _population("sensor", sensed, generator, 0, threshold=1 << 10, on_host=True),
        _population("always", (1, 1, 1), generator, 5, threshold=1, on_host=True, leak=1),
        _population("wide", wide, generator, 1, threshold=30, leak=9),
        _relay("relay", wide, 2),
        _population("zero", (8, 1, 1), generator, 3, threshold=24, leak=3, reset="zero"),
        _population("head", (5, 1, 1), generator, 6, threshold=30, leak=2),
        _population("counts", (5, 1, 1), generator, 7, threshold=0, on_host=True, reset="none"),
    ]
    by_name = {population.name: population for population in populations}
    taps = tap_table(4, 3, 2)
    tables = {
        ("sensor", "wide", 0, (0, 1, 2, 3)): Connectivity(sensed, wide, taps, taps, (0, 3), (0, 4)),
        ("wide", "relay", 0, (0,)): Connectivity.identity(wide),
        ("relay", "zero", 0, (0, 1, 2, 3)): _dense(wide, 8),
        ("wide", "zero", 1, (0, 3)): _dense(wide, 8),
        ("zero", "head", 2, (0, 1, 2, 3, 0)): _dense((8, 1, 1), 5),
        ("always", "head", 0, (1,)): _dense((1, 1, 1), 5),
        ("head", "counts", 0, ()): Connectivity.identity((5, 1, 1)),
    }
    projections = [
        _projection(by_name[source], by_name[target], delay, types, table, generator)
        for (source, target, delay, types), table in tables.items()
    ]
    own = Connectivity.identity(sensed)
    ones = np.full(own.weight_shape, 1 << 10, dtype=np.int64)
    return ChipNetwork(
        input_shape=sensed,
        timesteps=TIMESTEPS,
        synapse_exponent=0,
        threshold_exponent=0,
        state_max=2**19 - 1,
        bias_mantissa_max=2**19 - 1,
        bias_exponent_max=0,
        graph=build_graph(populations, projections),
        input_projections=(InputProjection("in", "sensor", own, ones, 0, 8),),
    )


def naive_program(network: ChipNetwork, cores: Cores) -> CrossbarProgram:
    """Columns and axons one by one, in the order in which synapses ask for them; nothing is checked against a chip."""
    axons: dict[tuple[int, int, int, int], int] = {}
    next_axon: dict[int, count[int]] = {}
    driven: dict[tuple[str, int], list[tuple[int, int, int]]] = {}
    for number, projection in enumerate(network.projections):
        ones = np.ones(projection.connectivity.weight_shape)
        source, target, _ = list_synapses(projection.connectivity, ones)
        delay = 1 + projection.delay
        if network.population(projection.target).on_host:
            for neuron in np.unique(source).tolist():
                driven.setdefault((projection.source, neuron), []).append((TO_HOST, 0, delay))
            continue
        for neuron, core in np.unique(np.stack([source, cores[projection.target][target]], axis=1), axis=0).tolist():
            for copy in range(len(projection.axon_types)):
                axon = next(next_axon.setdefault(core, count()))
                axons[core, axon, number, copy] = neuron
                if projection.source in cores:
                    driven.setdefault((projection.source, neuron), []).append((core, axon, delay))
    return CrossbarProgram(_columns(network, cores, driven), _axons(network, axons))


def _axons(network: ChipNetwork, axons: dict[tuple[int, int, int, int], int]) -> Axons:
    keys = sorted(axons)
    core, axon, projection, copy = (np.array([key[place] for key in keys]) for place in range(4))
    types = [network.projections[key[2]].axon_types[key[3]] for key in keys]
    return Axons(
        core=core.astype(np.int32),
        axon=axon.astype(np.int16),
        axon_type=np.array(types, dtype=np.int8),
        projection=projection.astype(np.int16),
        source_neuron=np.array([axons[key] for key in keys], dtype=np.int32),
        copy=copy.astype(np.int16),
    )


def _columns(network: ChipNetwork, cores: Cores, driven: dict[tuple[str, int], list[tuple[int, int, int]]]) -> Columns:
    next_column: dict[int, count[int]] = {}
    rows = []
    for number, population in enumerate(network.populations):
        for neuron, core in enumerate(cores.get(population.name, np.zeros(0, dtype=np.int64)).tolist()):
            for target in driven[population.name, neuron]:
                rows.append((core, next(next_column.setdefault(core, count())), number, neuron, *target))
    core, column, number, neuron, target_core, target_axon, delay = np.array(sorted(rows)).T
    return Columns(
        core=core.astype(np.int32),
        column=column.astype(np.int16),
        population=number.astype(np.int16),
        neuron=neuron.astype(np.int32),
        target_core=target_core.astype(np.int32),
        target_axon=target_axon.astype(np.int16),
        delay=delay.astype(np.int16),
    )


def _dense(source: Shape, channels: int) -> Connectivity:
    rows, columns = (np.arange(size, dtype=np.int32)[None] for size in source[1:])
    return Connectivity(source, (channels, 1, 1), rows, columns, (0, source[0]), (0, channels))


def _population(
    name: str,
    shape: Shape,
    generator: Generator,
    start_step: int,
    *,
    threshold: int,
    leak: int = 0,
    reset: Reset = "subtract",
    on_host: bool = False,
) -> Population:
    """Thresholds and leaks differ by channel, leaks by sign too; on the host they are as given."""
    channels = shape[0]
    spread = 0 if on_host else 2 * leak
    leaks = leak - generator.integers(0, spread, channels, endpoint=True)
    thresholds = np.full(channels, threshold) if on_host else threshold + generator.integers(0, 9, channels)
    multipliers = generator.integers(1, 6, channels)
    return Population(
        name=name,
        shape=shape,
        reset=reset,
        threshold=thresholds,
        negative_threshold=None,
        bias_mantissa=leaks[:, None, None],
        bias_exponent=np.zeros((channels, 1, 1), dtype=np.int64),
        initial_potential=thresholds // 2,
        start_step=start_step,
        scale=np.ones(channels),
        is_output=reset == "none",
        on_host=on_host,
        type_weights=None if on_host else multipliers[:, None] * np.array(RATIOS),
    )


def _relay(name: str, shape: Shape, start_step: int) -> Population:
    zeros = np.zeros(shape[0], dtype=np.int64)
    return Population(
        name=name,
        shape=shape,
        reset="subtract",
        threshold=zeros + 1,
        negative_threshold=None,
        bias_mantissa=zeros[:, None, None],
        bias_exponent=zeros[:, None, None],
        initial_potential=zeros,
        start_step=start_step,
        scale=np.ones(shape[0]),
        type_weights=np.tile(np.array([1, 0, 0, 0]), (shape[0], 1)),
    )


def _projection(
    source: Population,
    target: Population,
    delay: int,
    axon_types: tuple[int, ...],
    connectivity: Connectivity,
    generator: Generator,
) -> Projection:
    weights = np.ones(connectivity.weight_shape, dtype=np.int32)
    if target.type_weights is not None and target.name != "relay":
        for channel, of_types in enumerate(target.type_weights.tolist()):
            levels = weight_levels(axon_types, tuple(of_types))
            # without the lowest ones there is more to drive neurons than to hold them back
            weights[channel] = generator.choice(levels[len(levels) // 4 :], weights[channel].shape)
    return Projection(
        name=f"{source.name}->{target.name}",
        source=source.name,
        target=target.name,
        connectivity=connectivity,
        weights=weights,
        weight_exponent=0,
        weight_bits=9,
        sign_mode="mixed",
        delay=delay,
        axon_types=axon_types,
    )
