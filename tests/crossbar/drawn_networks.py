"""Random small float networks, chips of small crossbars, and the networks that are made from both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from hw_profiles import load_target
from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.connectivity import Connectivity, tap_table
from mapping.network import build_graph
from nmdeploy.convert.count_decoding import with_counted_outputs
from nmdeploy.convert.methods import METHODS, normalise
from nmdeploy.convert.statistics import collect_statistics
from nmdeploy.crossbar.axon_plan import Precision, plan_network
from nmdeploy.crossbar.host_populations import host_populations, with_host_populations
from nmdeploy.crossbar.partial_sums import with_partial_sums, with_tied_scales
from nmdeploy.crossbar.quantize_crossbars import quantize_crossbars
from nmdeploy.crossbar.repeated_inputs import without_repeated_inputs
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.spiking.network import INPUT, FloatPopulation, FloatProjection, build_spiking_network

TRUENORTH = load_target("truenorth")


def crossbars(axons=256, neurons=256, types=4, potential_bits=20):
    """TrueNorth with other crossbars and potentials."""
    data = TRUENORTH.model_dump()
    for name, value in (("axons", axons), ("neurons", neurons), ("axon_types", types)):
        data["crossbar"][name]["value"] = value
    data["number_formats"]["potential_bits"]["value"] = potential_bits
    return CrossbarProfile.model_validate(data)


def population(name, shape, activation="rectifier", bias=None, is_output=False):
    channels = shape[0]
    bias = np.zeros(channels) if bias is None else np.asarray(bias, dtype=float)
    return FloatPopulation(
        name, shape, activation, None, bias.reshape(channels, 1, 1), np.ones(channels), is_output=is_output
    )


def dense(source, target):
    """Every neuron reads all of a population."""
    rows, columns = (np.tile(np.arange(size, dtype=np.int32), (places, 1)) for size, places in
                     ((source[1], target[1]), (source[2], target[2])))
    return Connectivity(source, target, rows, columns, (0, source[0]), (0, target[0]))


def convolution(source, target, kernel=3, groups=1):
    rows, columns = (tap_table(source[axis], target[axis], kernel, 1, kernel // 2) for axis in (1, 2))
    return Connectivity(source, target, rows, columns, (0, source[0]), (0, target[0]), groups)


def projection(source, target, connectivity, weights):
    name = f"{source}->{target}"
    return FloatProjection(name, source, target, connectivity, np.asarray(weights, float))


def drawn_weights(generator, connectivity, kind):
    if kind == "uniform":
        return np.full(connectivity.weight_shape, generator.choice([-1.0, 0.25, 1.0]))
    weights = generator.normal(size=connectivity.weight_shape)
    if kind == "positive":
        return np.abs(weights)
    if kind == "negative":
        return -np.abs(weights)
    if kind == "sparse":
        return weights * (generator.random(weights.shape) < 0.3)
    return weights


KINDS = st.sampled_from(["both", "both", "both", "positive", "negative", "sparse", "uniform"])


@st.composite
def float_networks(draw, largest=4):
    """Dense, convolutional and grouped layers, residual additions, concatenations, layers that read the sample too."""
    generator = np.random.default_rng(draw(st.integers(0, 2**20)))
    places = draw(st.sampled_from([(1, 1), (3, 2), (4, 4)]))
    channels = draw(st.integers(1, largest))
    input_shape = (channels, *places)
    populations, projections = [], []

    def add(name, shape, incoming, **fields):
        populations.append(population(name, shape, bias=0.3 * generator.normal(size=shape[0]), **fields))
        for number, (source, table) in enumerate(incoming):
            one = projection(source, name, table, drawn_weights(generator, table, draw(KINDS)))
            projections.append(replace(one, name=f"{one.name}#{number}"))

    first = (draw(st.integers(1, largest)), *places)
    add("first", first, [(INPUT, convolution(input_shape, first))])
    for number in range(draw(st.integers(1, 3))):
        before = populations[-1]
        shape = (draw(st.integers(1, largest)), *places)
        kind = draw(st.sampled_from(["dense", "convolution", "grouped", "residual", "joined", "sample too"]))
        if kind == "grouped":
            groups = before.shape[0]
            shape = (groups * draw(st.integers(1, 2)), *places)
            incoming = [(before.name, convolution(before.shape, shape, groups=groups))]
        elif kind == "residual":
            shape = before.shape
            incoming = [
                (before.name, convolution(before.shape, shape)),
                (before.name, Connectivity.identity(shape)),
            ]
        elif kind == "joined":  # two sources write channels of their own, and a slice is read
            shape = (shape[0] + 1, *places)
            left = replace(convolution(before.shape, shape), target_channels=(0, shape[0] - 1))
            other = draw(st.sampled_from(populations))
            right = replace(
                convolution(other.shape, shape, kernel=1), target_channels=(shape[0] - 1, shape[0]),
                source_channels=(0, 1),
            )
            incoming = [(before.name, left), (other.name, right)]
        elif kind == "sample too":
            incoming = [
                (before.name, convolution(before.shape, shape)),
                (INPUT, convolution(input_shape, shape, kernel=1)),
            ]
        else:
            table = dense if kind == "dense" else convolution
            incoming = [(before.name, table(before.shape, shape))]
        add(f"hidden{number}", shape, incoming)
    last = (draw(st.integers(1, 3)), 1, 1)
    add("out", last, [(populations[-1].name, dense(populations[-1].shape, last))], activation="none", is_output=True)
    return build_spiking_network(input_shape, populations, projections)


def samples(network, count=4, seed=0):
    return np.random.default_rng(seed).normal(size=(count, *network.input_shape)).astype(np.float32)


def narrow(network, profile, precision=None):
    """All rewrites of the float network; the splits."""
    on_chip, _ = with_host_populations(network)
    summed, splits = with_partial_sums(without_repeated_inputs(on_chip), profile.crossbar, precision or Precision())
    return with_counted_outputs(summed, frozenset()), splits


def scaled(network, method="channel-max"):
    """With scales, those of partial sums tied; the statistics."""
    statistics = collect_statistics(network, samples(network, 16), 99.9)
    return with_tied_scales(normalise(network, statistics, METHODS[method], 16)[0]), statistics


def quantized(network, profile, timesteps=8, precision=None, **options):
    """From a narrow network to integers: the float network with its scales, the plan, the integer network."""
    with_scales, statistics = scaled(network)
    plan = plan_network(network, host_populations(network), profile.crossbar, precision or Precision())
    chosen = QuantizationOptions(timesteps, **options)
    made = quantize_crossbars(with_scales, statistics, plan, profile, chosen, 4.0, samples(network, 16))
    return with_scales, plan, made


def scheduled_anew(network):
    """Start steps by the longest path, and delays that make all paths meet."""
    starts = {}
    for one in network.populations:
        starts[one.name] = max((starts[into.source] + 1 for into in network.incoming(one.name)), default=0)
    populations = [replace(one, start_step=starts[one.name]) for one in network.populations]
    projections = [replace(one, delay=starts[one.target] - starts[one.source] - 1) for one in network.projections]
    return replace(network, graph=build_graph(populations, projections))
