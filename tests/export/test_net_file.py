"""Exported networks in lava-dl's netx: every spike of every population; whatever netx cannot hold is named."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from command_line import nmdeploy, refused
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lava_backend.networks import samples_for, stock_networks

from mapping.connectivity import Connectivity, tap_table
from mapping.network import ChipNetwork, InputProjection, Population, Projection, build_graph
from mapping.neuron_models import CountMemory, PoolCounts
from nmdeploy.artifact.artifact import read_artifact, write_artifact
from nmdeploy.errors import ExportError
from nmdeploy.export.net_file import first_layer_input, survives_netx, write_net_file
from nmdeploy.export.net_obstacles import net_obstacles
from nmdeploy.lava.batches import Batches

from .exported import assert_netx_computes_the_same

SOURCE = (4, 6, 5)


def changed(network, populations=None, projections=None):
    graph = build_graph(populations or network.populations, projections or network.projections)
    return dataclasses.replace(network, graph=graph)


def without_initial_potentials(network):
    """But for the first population, whose current is sent from outside."""
    first, *others = network.populations
    return changed(
        network, [first, *(dataclasses.replace(p, initial_potential=0 * p.initial_potential) for p in others)]
    )


@pytest.mark.lava
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking would start Lava for minutes
)
@given(data=st.data())
def test_netx_and_stock_processes_equal_the_simulator(netx, data):
    from lava_backend.comparison import assert_equal_to_simulator, run

    from nmdeploy.lava.stock import build_stock

    network = without_initial_potentials(data.draw(stock_networks()))
    samples = np.rint(data.draw(samples_for(network, largest=3)))
    with tempfile.TemporaryDirectory() as folder:
        assert_netx_computes_the_same(netx, Path(folder), network, samples)
    lava = run(build_stock, network, samples, Batches(len(samples), 1, len(samples)))
    assert_equal_to_simulator(network, samples, lava, saturations=False)


@pytest.mark.lava
def test_dense_weights_that_survive_netx(netx, tmp_path):
    """All pairs of extremes around the limits, those that are refused left out."""
    lowest = (-258, -257, -256, -255, -254, -129, -128, -127, -2, -1, 0, 1, 2)
    highest = (-2, -1, 0, 1, 2, 126, 127, 128, 129, 253, 254, 255, 256, 258)
    pairs = [(low, high) for low in lowest for high in highest if low <= high]
    surviving = [np.array([pair]) for pair in pairs if survives_netx(np.array([pair]))]
    assert len(surviving) > len(pairs) // 4
    for weights in surviving:
        np.save(tmp_path / "weights.npy", weights)
        netx("carried", weights=tmp_path / "weights.npy", result=tmp_path / "carried.npy")
        np.testing.assert_array_equal(np.load(tmp_path / "carried.npy"), weights)


def population(name, shape, start_step, **changes):
    zeros = np.zeros((shape[0], 1, 1), dtype=np.int64)
    threshold, scale = np.full(shape[0], 129), np.ones(shape[0])
    plain = Population(name, shape, "zero", threshold, None, zeros, zeros + 6, zeros[:, 0, 0], start_step, scale)
    return dataclasses.replace(plain, **changes)


def projection(source, target, rows, columns, weights=None, **changes):
    table = Connectivity(source.shape, target.shape, rows, columns, (0, source.shape[0]), (0, target.shape[0]))
    if weights is None:
        weights = np.random.default_rng(len(target.name)).integers(-100, 100, table.weight_shape)
    plain = Projection(f"to {target.name}", source.name, target.name, table, weights.astype(np.int32), 0, 8, "mixed")
    return dataclasses.replace(plain, **changes)


def chain():
    """The input's copy, a convolution that differs along rows and columns, two dense layers, an accumulator."""
    every_neuron = np.arange(90).reshape(6, 3, 5) % 3 - 1
    first = population("first", SOURCE, 0)
    conv = population("conv", (6, 3, 5), 1, bias_mantissa=every_neuron, bias_exponent=0 * every_neuron + 6)
    dense = population("dense", (7, 1, 1), 2, bias_mantissa=np.arange(7).reshape(7, 1, 1))
    out = population("out", (3, 1, 1), 3, is_output=True)
    out = dataclasses.replace(out, reset="none", threshold=0 * out.threshold, bias_mantissa=out.bias_mantissa - 2)
    rows, columns = tap_table(6, 3, 2, stride=2, padding=1, dilation=2), tap_table(5, 5, 3, padding=1)
    whole = [np.arange(size, dtype=np.int32)[None] for size in (3, 5, 1)]
    projections = [
        projection(first, conv, rows, columns),
        projection(conv, dense, whole[0], whole[1]),
        projection(dense, out, whole[2], whole[2]),
    ]
    here = [np.arange(size, dtype=np.int32)[:, None] for size in SOURCE[1:]]
    shown = InputProjection(
        "input", "first", Connectivity(SOURCE, SOURCE, *here, (0, 4), (0, 4), 4), np.full((4, 1, 1, 1), 64), 0, 0
    )
    return ChipNetwork(
        SOURCE, 6, 6, 6, 2**23 - 1, 4095, 7, build_graph([first, conv, dense, out], projections), (shown,)
    )


def samples_of(network, count=2):
    return np.random.default_rng(0).integers(0, 5, size=(count, *network.input_shape)).astype(np.float32)


@pytest.mark.lava
def test_layers_of_a_chain(netx, tmp_path):
    network = chain()
    assert_spikes_everywhere(assert_netx_computes_the_same(netx, tmp_path, network, samples_of(network)))
    with h5py.File(tmp_path / "network.net") as file:
        kinds = [file[f"layer/{number}/type"][()] for number in range(len(file["layer"]))]
    assert kinds == [b"input", b"conv", b"flatten", b"dense", b"dense"]


@pytest.mark.lava
def test_dense_layers_of_weights_too_wide_for_netx_become_convolutions(netx, tmp_path):
    """All before them too, as netx has no convolution after a dense layer."""
    network = chain()
    *others, last = network.projections
    clipped = dataclasses.replace(last, weights=np.where(last.weights > 0, 201, -201).astype(np.int32))
    network = changed(network, projections=[*others, clipped])
    assert_spikes_everywhere(assert_netx_computes_the_same(netx, tmp_path, network, samples_of(network)))
    with h5py.File(tmp_path / "network.net") as file:
        assert {file[f"layer/{number}/type"][()] for number in range(1, len(file["layer"]))} == {b"conv"}


def assert_spikes_everywhere(result):
    assert all(counts.any() for name, counts in result.spike_counts.items() if name != "out")


def with_population(number, **changes):
    populations = chain().populations
    populations[number] = dataclasses.replace(populations[number], **changes)
    return changed(chain(), populations)


def with_projection(number, **changes):
    projections = chain().projections
    projections[number] = dataclasses.replace(projections[number], **changes)
    return changed(chain(), projections=projections)


def with_shortcut():
    network = chain()
    first, _, _, out = network.populations
    whole = [np.arange(size, dtype=np.int32)[None] for size in SOURCE[1:]]
    shortcut = dataclasses.replace(projection(first, out, *whole), name="shortcut", delay=2)
    return changed(network, projections=[*network.projections, shortcut])


def with_upsampling():
    to_conv = chain().projections[0]
    rows = np.array([[0], [0], [1]], dtype=np.int32)
    table = dataclasses.replace(to_conv.connectivity, rows=rows)
    return with_projection(0, connectivity=table, weights=to_conv.weights[:, :, :1])


def with_second_input():
    network = chain()
    whole = [np.arange(size, dtype=np.int32)[None] for size in SOURCE[1:]]
    table = Connectivity(SOURCE, (7, 1, 1), *whole, (0, 4), (0, 7))
    second = InputProjection("second input", "dense", table, np.full(table.weight_shape, 64), 0, 0)
    return dataclasses.replace(network, input_projections=(*network.input_projections, second))


@pytest.mark.parametrize(
    ("network", "obstacles"),
    [
        (dataclasses.replace(chain(), state_max=1000), ["potentials saturate at 1,000"]),
        (dataclasses.replace(chain(), refinement_steps=1), ["1 refinement steps, which weigh less"]),
        (with_population(1, reset="subtract"), ["conv: reset by subtraction"]),
        (with_population(1, reset="subtract", count_memory=CountMemory(0)), ["conv: neurons of model 'paced', which"]),
        (with_population(1, reset="subtract", count_memory=CountMemory(0, paced=False, release="threshold")),
         ["conv: neurons of model 'signed', which fire by their count"]),
        (with_population(1, reset="subtract", pool_counts=PoolCounts(2)), ["conv: neurons of model 'max_pool'"]),
        (with_population(1, negative_threshold=np.full(6, 65)), ["conv: spikes of both signs"]),
        (with_population(1, threshold=np.array([65, 65, 65, 65, 65, 129])), ["conv: a threshold for each channel"]),
        (with_population(1, threshold=np.full(6, 100)), ["conv: a threshold that is not one above a multiple of 64"]),
        (with_population(1, initial_potential=np.full(6, 64)), ["conv: an initial potential"]),
        (with_population(1, bias_mantissa=np.full((6, 1, 1), 1), bias_exponent=np.zeros((6, 1, 1), int)),
         ["conv: biases or input currents that are not multiples of 64"]),
        (with_population(1, bias_mantissa=np.full((6, 1, 1), 4096)), ["conv: biases beyond"]),
        (with_projection(0, weight_exponent=-3), ["to conv: weights times 2^3"]),
        (with_upsampling(), ["to conv: the index tables are not those of a convolution"]),
        (with_shortcut(), ["first: sends to several projections", "out: receives 2 projections", "shortcut: 2 extra"]),
        (with_second_input(), ["dense: receives input current"]),
    ],
)
def test_every_obstacle_is_named(network, obstacles, tmp_path):
    assert net_obstacles(chain()) == []
    found = net_obstacles(network)
    if len(obstacles) == 1:
        assert len(found) == 1, found
    for obstacle in obstacles:
        assert any(line.startswith(obstacle) for line in found), (obstacle, found)
    with pytest.raises(ExportError) as caught:
        write_net_file(tmp_path / "refused.net", network)
    assert all(line in str(caught.value) for line in found)
    assert list(tmp_path.iterdir()) == []


def test_currents_that_lif_cannot_receive_are_refused():
    network = chain()
    uneven = dataclasses.replace(network.input_projections[0], weights=np.full((4, 1, 1, 1), 3))
    network = dataclasses.replace(network, threshold_exponent=0, input_projections=(uneven,))
    with pytest.raises(ExportError, match=r"first: .*not multiples of 64"):
        first_layer_input(network, samples_of(network), 6)


def test_command_lists_every_reason(compiled_by_default, tmp_path):
    """The digits network as compiled by default: shortcuts, reset by subtraction, initial potentials."""
    ended = nmdeploy("export", compiled_by_default, "--format", "net", "-o", tmp_path / "x.net")
    refused(ended, "netx cannot hold this network", "reset by subtraction", "initial potential", "--reset zero")
    assert list(tmp_path.iterdir()) == []


def test_a_delayed_read_out_is_told(netx_artifact, tmp_path):
    """netx has no read-out of its own: whoever loads the file must know from which step on outputs count."""
    artifact = read_artifact(netx_artifact)
    for step in (0, 3):
        folder = tmp_path / f"{step}.nmd"
        network = dataclasses.replace(artifact.network, read_out_step=step)
        write_artifact(folder, dataclasses.replace(artifact, network=network))
        ended = nmdeploy("export", folder, "-o", tmp_path / f"{step}.net")
        assert ended.code == 0, ended.stderr
        assert ("read from step 3 on" in ended.stderr) == (step == 3)


def test_unwritable_place(netx_artifact, tmp_path):
    refused(nmdeploy("export", netx_artifact, "-o", tmp_path / "missing" / "x.net"), "cannot be written")


def test_export_needs_neither_lava_nor_torch(netx_artifact, tmp_path):
    program = (
        "import sys\nfor name in ('lava', 'torch'): sys.modules[name] = None\n"
        "from nmdeploy.cli.app import main\nmain()"
    )
    command = [sys.executable, "-c", program, "export", str(netx_artifact), "-o", str(tmp_path / "x.net")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert h5py.is_hdf5(tmp_path / "x.net")


def test_equal_networks_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        write_net_file(tmp_path / name, chain())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
