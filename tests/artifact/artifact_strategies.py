"""Random small artifacts, and comparison of two of them field by field."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace

import networkx as nx
import numpy as np
from hypothesis import strategies as st
from lava_backend.networks import networks

from hw_profiles import parse_profile, profile_text
from mapping.placement import CoreAddress, CoreRecord, Placement
from mapping.tiles import Demands, Tile
from nmdeploy.artifact.artifact import Artifact
from nmdeploy.artifact.manifest import Options, make_manifest
from nmdeploy.energy.counts import FloatLayer, OperationCounts, PopulationSize, ProjectionCounts, TileCounts
from nmdeploy.preprocessing import Preprocessing
from nmdeploy.spiking.network import INPUT, FloatPopulation, FloatProjection, build_spiking_network

PROFILE_TEXT = profile_text("loihi")
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
INTEGERS = st.integers(-(2**40), 2**40)


@st.composite
def float_networks(draw, network):
    """A float network of the shape of a chip network, with limits of activations here and there."""
    random = np.random.default_rng(draw(st.integers(0, 2**31)))
    populations = [
        FloatPopulation(
            item.name,
            item.shape,
            draw(st.sampled_from(["rectifier", "none"])),
            draw(st.none() | st.floats(0.5, 8)),
            random.normal(size=item.bias_mantissa.shape),
            random.random(item.shape[0]),
            item.is_output,
        )
        for item in network.populations
    ]
    projections = [
        FloatProjection(item.name, source, item.target, item.connectivity, random.normal(size=item.weights.shape))
        for item, source in (
            *((item, INPUT) for item in network.input_projections),
            *((item, item.source) for item in network.projections),
        )
    ]
    return build_spiking_network(network.input_shape, populations, projections)


@st.composite
def placements(draw, network):
    address = st.builds(CoreAddress, *[st.integers(0, 99)] * 4)
    interval = st.tuples(st.integers(0, 5), st.integers(6, 99))
    tile = st.builds(Tile, st.sampled_from([item.name for item in network.populations]), interval, interval, interval)
    demands = st.builds(Demands, *[st.integers(0, 2**20)] * 8)
    tiles, targets = (st.lists(part, max_size=3).map(tuple) for part in (tile, address))
    return Placement(tuple(draw(st.lists(st.builds(CoreRecord, address, tiles, targets, demands), max_size=4))))


def tuples_of(records, largest=3):
    return st.lists(records, max_size=largest).map(tuple)


PROJECTION_COUNTS = tuples_of(st.builds(ProjectionCounts, NAMES, INTEGERS, INTEGERS))
COUNTS = st.builds(
    OperationCounts,
    st.integers(1, 99),
    st.integers(1, 99),
    *[INTEGERS] * 4,
    tuples_of(st.builds(TileCounts, NAMES, INTEGERS, NAMES, PROJECTION_COUNTS, *[INTEGERS] * 14), 4),
    tuples_of(st.builds(PopulationSize, NAMES, *[INTEGERS] * 6)),
    tuples_of(st.builds(FloatLayer, NAMES, st.booleans(), *[INTEGERS] * 7)),
)
PREPROCESSINGS = st.builds(
    Preprocessing,
    st.floats(0.5, 300),
    st.lists(st.floats(-3, 3), min_size=1, max_size=3).map(tuple),
    st.lists(st.floats(0.1, 3), min_size=1, max_size=3).map(tuple),
    st.sampled_from(["NCHW", "NHWC", "NHW", "NCL", "NF"]),
)


@st.composite
def artifacts(draw):
    network = draw(networks())
    read_out, refinement = draw(st.integers(0, network.timesteps - 1)), draw(st.integers(0, network.timesteps - 1))
    network = replace(network, read_out_step=read_out, refinement_steps=refinement)
    options = Options(
        target="loihi",
        timesteps=network.timesteps,
        method=draw(NAMES),
        percentile=draw(st.floats(50, 100)),
        weight_bits=8,
        thresholds="channel",
        reset="subtract",
        seed=draw(st.integers(0, 2**31)),
        refinement_steps=refinement,
        read_out_step=read_out,
        headroom=draw(st.floats(1, 8)),
    )
    classes = tuple(draw(st.lists(NAMES, max_size=3)))
    return Artifact(
        manifest=make_manifest("0" * 64, draw(NAMES), options, draw(PREPROCESSINGS), classes),
        network=network,
        float_network=draw(float_networks(network)),
        placement=draw(placements(network)),
        profile=parse_profile(PROFILE_TEXT, "loihi"),
        profile_text=PROFILE_TEXT,
        audit=draw(st.dictionaries(NAMES, st.lists(NAMES | st.booleans() | st.floats(0, 1), max_size=3), max_size=3)),
        counts=draw(COUNTS),
    )


def differences(first, second, where=""):
    """Places at which two values differ, in type or value; arrays in shape and type of number, too."""
    if type(first) is not type(second):
        return [f"{where}: {type(first).__name__} and {type(second).__name__}"]
    if is_dataclass(first):
        pairs = [(field.name, getattr(first, field.name), getattr(second, field.name)) for field in fields(first)]
    elif isinstance(first, nx.MultiDiGraph):
        pairs = [
            ("nodes", list(first.nodes(data=True)), list(second.nodes(data=True))),
            ("edges", list(first.edges(keys=True, data=True)), list(second.edges(keys=True, data=True))),
        ]
    elif isinstance(first, dict):
        pairs = [("keys", sorted(first), sorted(second)), *((key, first[key], second.get(key)) for key in first)]
    elif isinstance(first, (list, tuple)) and len(first) == len(second):
        pairs = [(str(index), *pair) for index, pair in enumerate(zip(first, second, strict=True))]
    elif isinstance(first, np.ndarray):
        same = first.dtype == second.dtype and first.shape == second.shape and np.array_equal(first, second)
        return [] if same else [f"{where}: {first!r} and {second!r}"]
    else:
        return [] if first == second else [f"{where}: {first!r} and {second!r}"]
    return [difference for name, a, b in pairs for difference in differences(a, b, f"{where}.{name}")]
