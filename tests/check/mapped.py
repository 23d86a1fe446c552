"""A small network on several cores of Loihi as an artifact, and legal but worse ways to place it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hw_profiles import parse_profile, profile_text
from mapping.connectivity import Connectivity, tap_table
from mapping.network import ChipNetwork, InputProjection, Population, Projection, build_graph
from mapping.partition import partition
from mapping.place import place
from mapping.placement import CoreAddress, CoreRecord, Placement
from mapping.rules.evidence import Evidence
from mapping.tiles import Demands
from nmdeploy.artifact.artifact import Artifact
from nmdeploy.artifact.manifest import Options, make_manifest
from nmdeploy.energy.count_operations import count_operations
from nmdeploy.preprocessing import Preprocessing
from nmdeploy.spiking.network import INPUT, FloatPopulation, FloatProjection, build_spiking_network

TIMESTEPS = 4
FAR = CoreAddress(0, 7, 3, 3)


def make_network(channels=8):
    """Two layers of 16 x 16 neurons and an output of 10; all thresholds and weights are legal on Loihi."""
    first, second = (4, 16, 16), (channels, 16, 16)
    populations = [
        make_population("first", first, 0),
        make_population("second", second, 1),
        make_population("third", (10, 1, 1), 2),
    ]
    random = np.random.default_rng(0)
    convolution, dense = same_size(first, second), flatten(second, 10)
    projections = [
        Projection("conv", "first", "second", convolution, even_weights(random, convolution), -6, 8, "mixed"),
        Projection("dense", "second", "third", dense, even_weights(random, dense), -6, 8, "mixed"),
    ]
    pixels = same_size((1, 16, 16), first)
    given = InputProjection("pixels", "first", pixels, even_weights(random, pixels).astype(np.int64), 0, 0)
    graph = build_graph(populations, projections)
    return ChipNetwork((1, 16, 16), TIMESTEPS, 6, 6, 2**23 - 1, 4095, 7, graph, (given,))


def make_population(name, shape, start_step):
    is_output = shape[1:] == (1, 1)
    threshold = 0 if is_output else 6400
    per_channel = np.zeros((shape[0], 1, 1), dtype=np.int64)
    return Population(
        name=name,
        shape=shape,
        reset="none" if is_output else "subtract",
        threshold=np.full(shape[0], threshold),
        negative_threshold=None,
        bias_mantissa=per_channel,
        bias_exponent=per_channel,
        initial_potential=per_channel.ravel(),
        start_step=start_step,
        scale=np.ones(shape[0]),
        is_output=is_output,
    )


def same_size(source, target):
    tables = [tap_table(source[axis], target[axis], 3, 1, 1) for axis in (1, 2)]
    return Connectivity(source, target, *tables, (0, source[0]), (0, target[0]))


def flatten(source, outputs):
    tables = [np.arange(size, dtype=np.int32)[None] for size in source[1:]]
    return Connectivity(source, (outputs, 1, 1), *tables, (0, source[0]), (0, outputs))


def even_weights(random, connectivity):
    return (2 * random.integers(-128, 128, connectivity.weight_shape)).astype(np.int32)


def make_artifact(target="loihi", network=None, placement=None, timesteps=TIMESTEPS):
    """An artifact in which every neuron spikes once a sample."""
    network = network or make_network()
    text = profile_text(target)
    profile = parse_profile(text, target)
    placement = placement or place(partition(network, profile), profile)
    samples = np.ones((2, *network.input_shape), dtype=np.float32)
    spikes = {one.name: np.ones((2, one.neuron_count), dtype=np.int64) for one in network.populations}
    options = Options(
        target=target,
        timesteps=timesteps,
        method="layer-max",
        percentile=100.0,
        weight_bits=8,
        thresholds="layer",
        reset="subtract",
        seed=0,
    )
    return Artifact(
        manifest=make_manifest("0" * 64, "ones", options, Preprocessing(1.0, (0.0,), (1.0,), "NCHW"), ()),
        network=network,
        float_network=float_network(network),
        placement=placement,
        profile=profile,
        profile_text=text,
        audit={},
        counts=count_operations(network, placement, profile, samples, spikes, timesteps=timesteps),
    )


def float_network(network):
    populations = [
        FloatPopulation(one.name, one.shape, "rectifier", None, one.bias_mantissa * 1.0, one.scale, one.is_output)
        for one in network.populations
    ]
    projections = [
        FloatProjection(one.name, source, one.target, one.connectivity, one.weights * 1.0)
        for one, source in (
            *((given, INPUT) for given in network.input_projections),
            *((joined, joined.source) for joined in network.projections),
        )
    ]
    return build_spiking_network(network.input_shape, populations, projections)


def placed_anew(artifact, tiles_and_addresses):
    """The artifact with these tiles on these cores, its records true."""
    draft = Placement(
        tuple(CoreRecord(address, tiles, (), Demands(*[0] * 11)) for tiles, address in tiles_and_addresses)
    )
    evidence = Evidence(artifact.network, draft, artifact.profile)
    cores = [
        replace(core, targets=tuple(sorted(evidence.reached(index))), demands=demands)
        for index, (core, demands) in enumerate(zip(draft.cores, evidence.demands, strict=True))
    ]
    return make_artifact(artifact.profile.name, artifact.network, Placement(tuple(cores)))


def layout(artifact):
    return [(core.tiles, core.address) for core in artifact.placement.cores]


def index_of(artifact, population):
    """Position of the first core with a tile of a population."""
    cores = artifact.placement.cores
    return next(index for index, core in enumerate(cores) if core.tiles[0].population == population)


def moved_apart(artifact, index):
    """One core moved to the far corner of the mesh."""
    cores = layout(artifact)
    cores[index] = (cores[index][0], FAR)
    return placed_anew(artifact, cores)


def split_in_two(artifact, index):
    """The channels of one core's tile on two cores, the second one at the end of the list."""
    cores = layout(artifact)
    (tile,), address = cores[index]
    start, stop = tile.channels
    middle = (start + stop) // 2
    cores[index] = ((replace(tile, channels=(start, middle)),), address)
    return placed_anew(artifact, [*cores, ((replace(tile, channels=(middle, stop)),), FAR)])
