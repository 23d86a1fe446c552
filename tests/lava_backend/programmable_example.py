"""A network of every kind of programmable neuron, deep enough for leads to add up, and an artifact that holds it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hw_profiles import parse_profile, profile_text
from mapping.connectivity import Connectivity, tap_table
from mapping.network import ChipNetwork, InputProjection, Population, Projection, build_graph
from mapping.neuron_models import CountMemory, PoolCounts
from mapping.pool_taps import pool_weights
from mapping.tiles import Tile
from nmdeploy.artifact.artifact import Artifact, write_artifact
from nmdeploy.artifact.manifest import Options, make_manifest
from nmdeploy.energy.counts import OperationCounts
from nmdeploy.preprocessing import Preprocessing
from nmdeploy.spiking.network import INPUT, FloatPopulation, FloatProjection, build_spiking_network

from .tilings import placed

INPUT_SHAPE = (2, 6, 6)
TIMESTEPS = 8


def programmable_example():
    """Paced neurons with a slope, maxima over their counts, paced ones with a shortcut, the shift-only form, signed
    neurons, and an accumulator that reads from two depths.
    """
    random = np.random.default_rng(3)
    slope = np.array([256, 64, 128])
    edges = _population("edges", (3, 6, 6), 0, CountMemory(2, release="half", slope_mantissa=slope), bias=-25)
    largest = replace(
        _population("largest", (3, 3, 3), 3, None, threshold=[0, 0, 0]), pool_counts=PoolCounts(4)
    )
    paced = _population("paced", (4, 3, 3), 4, CountMemory(1, release="half"), bias=4)
    shifted = _population("shifted", (4, 3, 3), 6, CountMemory(3, shift_only=True, release="half"))
    signed = _population("signed", (4, 3, 3), 10, CountMemory(0, paced=False, release="half"), bias=3)
    out = replace(
        _population("out", (3, 1, 1), 11, None, threshold=[0, 0, 0]), reset="none", is_output=True
    )
    windows = [tap_table(6, 3, 3, stride=2, padding=1)] * 2
    around, here, strided = (
        [tap_table(3, 3, 3, padding=1)] * 2,
        [tap_table(3, 3, 1)] * 2,
        [tap_table(6, 3, 1, stride=2)] * 2,
    )
    every = [np.arange(3, dtype=np.int32)[None]] * 2
    pool = _projection(edges, largest, windows, 1, groups=3)
    projections = [
        replace(pool, weights=pool_weights((3, 3), 3, 4)),
        _projection(largest, paced, around, random),
        replace(_projection(edges, paced, strided, random), name="shortcut", delay=1),
        _projection(paced, shifted, here, random),
        _projection(shifted, signed, around, random, groups=2),
        _projection(signed, out, every, random),
        replace(_projection(largest, out, every, random), name="from depth 2", delay=7),
    ]
    shown = Connectivity(INPUT_SHAPE, edges.shape, *[tap_table(6, 6, 3, padding=1)] * 2, (0, 2), (0, 3))
    weights = random.integers(-9, 10, size=shown.weight_shape)
    return ChipNetwork(
        input_shape=INPUT_SHAPE,
        timesteps=TIMESTEPS,
        synapse_exponent=0,
        threshold_exponent=0,
        state_max=2**23 - 1,
        bias_mantissa_max=4095,
        bias_exponent_max=7,
        graph=build_graph([edges, largest, paced, shifted, signed, out], projections),
        input_projections=(InputProjection("shown", "edges", shown, weights, 0, 2),),
    )


def _population(name, shape, start_step, memory, *, threshold=(25, 18, 30, 21), bias=0):
    zeros = np.zeros((shape[0], 1, 1), dtype=np.int64)
    return Population(
        name=name,
        shape=shape,
        reset="subtract",
        threshold=np.array(threshold)[: shape[0]],
        negative_threshold=None,
        bias_mantissa=zeros + bias,
        bias_exponent=zeros,
        initial_potential=zeros[:, 0, 0],
        start_step=start_step,
        scale=np.ones(shape[0]),
        count_memory=memory,
    )


def _projection(source, target, tables, random, *, groups=1):
    channels = (0, source.shape[0]), (0, target.shape[0])
    table = Connectivity(source.shape, target.shape, *tables, *channels, groups)
    weights = np.ones(table.weight_shape) if random == 1 else random.integers(-9, 10, size=table.weight_shape)
    name = f"{source.name} to {target.name}"
    return Projection(name, source.name, target.name, table, weights.astype(np.int32), 0, 8, "mixed")


def samples_of_example(count=5):
    """float32 array, (count, 2, 6, 6)."""
    return np.random.default_rng(4).normal(scale=1.5, size=(count, *INPUT_SHAPE)).astype(np.float32)


def placement_of_example():
    """Cuts through channels, rows and columns; some cores hold parts of several populations."""
    whole = (0, 3)
    return placed(
        [
            [Tile("edges", (0, 2), (0, 6), (0, 4))],
            [Tile("edges", (2, 3), (0, 6), (0, 6)), Tile("edges", (0, 2), (0, 6), (4, 6))],
            [Tile("largest", (0, 1), (0, 1), whole), Tile("paced", (0, 3), (0, 2), whole)],
            [
                Tile("largest", (1, 3), (0, 1), whole),
                Tile("paced", (3, 4), (0, 3), whole),
                Tile("shifted", (0, 4), (0, 3), (0, 2)),
            ],
            [Tile("largest", (0, 3), (1, 3), whole), Tile("paced", (0, 3), (2, 3), whole)],
            [
                Tile("out", (0, 3), (0, 1), (0, 1)),
                Tile("shifted", (0, 4), (0, 3), (2, 3)),
                Tile("signed", (0, 4), whole, whole),
            ],
        ]
    )


def write_example(folder):
    """Write it as an artifact; its float network is any of that shape, and nothing has been counted."""
    everything = [np.arange(size, dtype=np.int32)[None] for size in INPUT_SHAPE[1:]]
    table = Connectivity(INPUT_SHAPE, (3, 1, 1), *everything, (0, 2), (0, 3))
    out = FloatPopulation("out", (3, 1, 1), "none", None, np.zeros((3, 1, 1)), np.ones(3), True)
    to_out = FloatProjection("to out", INPUT, "out", table, np.ones(table.weight_shape))
    options = Options(
        target="loihi",
        timesteps=TIMESTEPS,
        method="any",
        percentile=100,
        weight_bits=8,
        thresholds="channel",
        reset="subtract",
        seed=0,
    )
    plain = Preprocessing(1.0, (0.0,), (1.0,), "NCHW")
    write_artifact(
        folder,
        Artifact(
            manifest=make_manifest("0" * 64, "", options, plain, ()),
            network=programmable_example(),
            float_network=build_spiking_network(INPUT_SHAPE, [out], [to_out]),
            placement=placement_of_example(),
            profile=parse_profile(profile_text("loihi"), "loihi"),
            profile_text=profile_text("loihi"),
            audit={},
            counts=OperationCounts(1, TIMESTEPS, TIMESTEPS, 0, 1, 1, (), (), ()),
        ),
    )
