"""A small network of four layers, in a chip's integers and in float, and what NumPy makes of it.

    input (2, 2, 3) -> first (2, 2, 3) -> largest of each row (2, 2, 1) -> second (3, 1, 1) -> out (2, 1, 1)
                             first -> out

`first` weighs each channel by itself. Some activations are above the scales, and one channel is silent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from integer_networks import input_projection, network, one_to_one, population, projection, whole

from mapping.connectivity import Connectivity
from mapping.network import ChipNetwork
from mapping.neuron_models import CountMemory, PoolCounts
from mapping.pool_taps import pool_weights
from nmdeploy.spiking.network import (
    INPUT,
    FloatPopulation,
    FloatProjection,
    SpikingNetwork,
    build_spiking_network,
)

SHAPE, ROWS, VECTOR, OUT = (2, 2, 3), (2, 2, 1), (3, 1, 1), (2, 1, 1)
THRESHOLD, UNIT, SLOPE = 640, 1024, 0.25
FRACTION_BITS = 8
LEAKY = ("leaky", "refined")
REFINEMENT_STEPS = 2
KINDS = ("plain", "paced", "leaky", "refined")
ONLY_ROW_BY_ROW = Connectivity(
    SHAPE, ROWS, np.arange(2, dtype=np.int32)[:, None], np.arange(3, dtype=np.int32)[None], (0, 2), (0, 2), 2
)


@dataclass(frozen=True)
class Small:
    """Both networks and their parameters."""

    kind: str
    chip: ChipNetwork
    trained: SpikingNetwork
    weights: dict
    biases: dict
    scales: dict

    def function(self, name):
        """The activation function of a population."""
        if name in ("out", "largest"):
            return lambda values: values
        slope = SLOPE if self.kind in LEAKY else 0.0
        return lambda values: np.where(values < 0, slope * values, values)

    def layer(self, name, held):
        """Activations of one layer from those of its sources, in float64, (samples, channels, rows, columns)."""
        weights, bias = self.weights, self.biases.get(name, np.zeros(1))[:, None, None]
        values = {
            "first": lambda: held["input"] * weights["first"][:, None, None],
            "largest": lambda: held["first"].max(axis=3, keepdims=True),
            "second": lambda: np.einsum("oiyx,niyx->no", weights["second"], held["largest"])[..., None, None],
            "out": lambda: (
                np.einsum("oiyx,niyx->no", weights["out"], held["second"])
                + np.einsum("oiyx,niyx->no", weights["shortcut"], held["first"])
            )[..., None, None],
        }[name]()
        return self.function(name)(values + bias)

    def activations(self, samples):
        held = {"input": samples.astype(np.float64)}
        for name in ("first", "largest", "second", "out"):
            held[name] = self.layer(name, held)
        return held


def small(kind, timesteps=8):
    """One of `KINDS`.

    Plain integrate-and-fire; paced with a lead and spikes taken back; that with a slope; and that with two refinement
    steps at the end of the window.
    """
    random = np.random.default_rng(5)
    weights = {
        "first": np.array([1.1, -0.8]),
        "second": random.normal(size=(3, *ROWS)),
        "out": random.normal(size=(2, *VECTOR)),
        "shortcut": 0.2 * random.normal(size=(2, *SHAPE)),
    }
    biases = {"first": np.array([0.1, 0.2]), "second": np.array([0.3, -0.1, -50.0]), "out": np.array([0.5, -0.5])}
    if kind in LEAKY:
        biases["second"][2] = -0.4
    scales = {"first": np.array([1.5, 1.2]), "largest": np.array([1.5, 1.2]), "second": np.array([1.6, 1.0, 1.3])}
    scales["out"] = np.ones(2)
    made = Small(kind, _chip(kind, timesteps, weights, biases, scales), None, weights, biases, scales)
    return replace(made, trained=_trained(kind, weights, biases, scales))


def samples_of(count, seed=6):
    return np.random.default_rng(seed).normal(size=(count, *SHAPE)).astype(np.float32)


def _chip(kind, timesteps, weights, biases, scales):
    per_scale = {name: THRESHOLD / scale for name, scale in scales.items()} | {"out": np.full(2, float(UNIT))}

    def firing(name, shape):
        fields = {"threshold": np.full(shape[0], THRESHOLD), "scale": scales[name]}
        if kind == "plain":
            fields["initial_potential"] = np.full(shape[0], THRESHOLD // 2)
        else:
            slope = np.full(shape[0], int(SLOPE * 256)) if kind in LEAKY else None
            fields["count_memory"] = CountMemory(1, release="half", slope_mantissa=slope)
        return population(name, shape, bias_mantissa=bias(name), **fields)

    def bias(name):
        return np.rint(biases[name] * per_scale[name]).astype(np.int64)[:, None, None]

    def integers(name, source, target):
        factors = scales[source][None, :, None, None] * per_scale[target][:, None, None, None]
        return np.rint(weights[name] * factors).astype(np.int64)

    pool = PoolCounts(2 if kind == "plain" else 4)
    nothing = np.zeros(2, np.int64)
    shown = np.rint(weights["first"] * per_scale["first"] * 2**FRACTION_BITS).astype(np.int64)
    return network(
        [
            firing("first", SHAPE),
            population("largest", ROWS, threshold=nothing, pool_counts=pool, scale=scales["largest"]),
            firing("second", VECTOR),
            population(
                "out",
                OUT,
                reset="none",
                threshold=nothing,
                scale=np.ones(2) / UNIT,
                bias_mantissa=bias("out"),
                is_output=True,
            ),
        ],
        [
            projection("first", "largest", ONLY_ROW_BY_ROW, pool_weights((1, 3), 2, pool.base)),
            projection("largest", "second", whole(ROWS, VECTOR), integers("second", "largest", "second")),
            projection("second", "out", whole(VECTOR, OUT), integers("out", "second", "out")),
            projection("first", "out", whole(SHAPE, OUT), integers("shortcut", "first", "out")),
        ],
        [input_projection("first", one_to_one(SHAPE), shown, FRACTION_BITS, FRACTION_BITS)],
        input_shape=SHAPE,
        timesteps=timesteps,
        refinement_steps=REFINEMENT_STEPS if kind == "refined" else 0,
    )


def _trained(kind, weights, biases, scales):
    activation = "leaky" if kind in LEAKY else "rectifier"

    def unit(name, shape, function):
        bias = biases.get(name, np.zeros(shape[0]))[:, None, None]
        slope = np.full(shape[0], SLOPE) if function == "leaky" else None
        return FloatPopulation(name, shape, function, None, bias, scales[name], name == "out", slope)

    def joined(name, source, target, table, given):
        return FloatProjection(name, source, target, table, given.reshape(table.weight_shape))

    return build_spiking_network(
        SHAPE,
        [
            unit("first", SHAPE, activation),
            unit("largest", ROWS, "maximum"),
            unit("second", VECTOR, activation),
            unit("out", OUT, "none"),
        ],
        [
            joined("shown", INPUT, "first", one_to_one(SHAPE), weights["first"]),
            joined("rows", "first", "largest", ONLY_ROW_BY_ROW, np.ones((2, 1, 1, 3))),
            joined("dense", "largest", "second", whole(ROWS, VECTOR), weights["second"]),
            joined("to out", "second", "out", whole(VECTOR, OUT), weights["out"]),
            joined("shortcut", "first", "out", whole(SHAPE, OUT), weights["shortcut"]),
        ],
    )
