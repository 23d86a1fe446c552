"""What is compared with NeuroBench and SANA-FE, without them; and with them where their environments exist."""

import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from energy import worked_example_network as example
from energy.energy_synapses import synapses

from benchmarks.chip_events import ChipEvents, hops, messages_of_neurons, our_events
from benchmarks.energy_peers import BORDERED
from benchmarks.energy_peers_neurobench import our_counts, run_neurobench
from benchmarks.energy_peers_sanafe import SanafeRun, run_sanafe, sanafe_table
from benchmarks.mapped_case import map_case, run_case
from benchmarks.neurobench_layers import describe_layers, write_layers
from benchmarks.neurobench_network import read_network
from benchmarks.peer_environment import INSTALLED, NEUROBENCH, SANAFE, peer_python
from benchmarks.sanafe_network import write_sanafe_network
from benchmarks.synapse_list import list_synapses
from hw_profiles import parse_profile, profile_text
from mapping.connectivity import Connectivity, tap_table
from mapping.network import build_graph
from mapping.placement import CoreAddress, CoreRecord, Placement
from mapping.tiles import Tile

ROOT = Path(__file__).parents[2]
SANAFE_PJ = {
    "synapse": 35.5, "neuron_access": 51.2, "neuron_update": 21.6, "spike": 69.3, "message": 111.0,
    "hop_x": 3.0, "hop_y": 4.2,
}  # fmt: skip


@pytest.fixture(scope="module")
def bordered():
    """Convolutions whose populations are each cut in two, on five cores that share tiles of different layers."""
    mapped = map_case(BORDERED, None, 3)
    addresses = [CoreAddress(0, *place) for place in ((0, 0, 0), (0, 0, 1), (2, 1, 0), (7, 3, 2), (4, 0, 3))]
    tiles = defaultdict(list)
    for number, population in enumerate(mapped.network.populations):
        channels, rows, columns = population.shape
        for half, box in enumerate(((0, channels // 2), (channels // 2, channels))):
            address = addresses[(2 * number + half) % len(addresses)]
            tiles[address].append(Tile(population.name, box, (0, rows), (0, columns)))
    records = tuple(CoreRecord(address, tuple(of_core), (), example.NO_DEMANDS) for address, of_core in tiles.items())
    return run_case(mapped.name, mapped.network, Placement(records), mapped.profile, mapped.samples)


@pytest.fixture(scope="module")
def worked_example():
    profile = parse_profile(profile_text("loihi"), "loihi")
    return run_case("worked example", example.network(), example.placement(), profile, example.SAMPLE)


def test_worked_example_by_the_constants_of_sanafe(worked_example):
    """18 x 35.5 + 24 x (51.2 + 21.6) + 15 x 69.3 + 9 x 111.0 = 4424.7."""
    events = our_events(worked_example)
    assert events == ChipEvents(18, 24, 24, 15, 9, 0, 0)
    assert sum(events.energies_pj(SANAFE_PJ).values()) == pytest.approx(4424.7, abs=1e-9)


@pytest.mark.parametrize("groups", [1, 2])
def test_synapses_are_listed_as_the_connectivity_defines_them(groups):
    connectivity = Connectivity(
        (5, 6, 4), (7, 3, 2), tap_table(6, 3, 3, 2, 1), tap_table(4, 2, 5, 2, 2), (1, 5), (1, 7), groups
    )
    assert not connectivity.problems()
    weights = np.random.default_rng(groups).integers(-3, 4, connectivity.weight_shape)
    expected = sorted(
        (int(np.ravel_multi_index(source, (5, 6, 4))), int(np.ravel_multi_index(target, (7, 3, 2))), weight)
        for source, target, weight in synapses(connectivity, weights)
    )
    listed = list_synapses(connectivity, weights)
    assert sorted(zip(*(part.tolist() for part in listed), strict=True)) == expected
    assert len(expected) == connectivity.synapse_count


@pytest.mark.parametrize("explicit_padding", [False, True])
def test_torch_layers_compute_the_same_spikes(bordered, tmp_path, explicit_padding):
    write_layers(bordered, tmp_path)
    network, samples = read_network(tmp_path, explicit_padding=explicit_padding)
    with torch.inference_mode():
        potentials = network(samples)
    assert potentials.tolist() == bordered.potentials.tolist()
    for name, train in bordered.spike_trains.items():
        found = torch.stack(network.spike_trains[name], 1).flatten(2)
        np.testing.assert_array_equal(found.numpy(), train)
    assert our_counts(bordered).spikes == sum(int(train.sum()) for train in bordered.spike_trains.values())


@pytest.mark.parametrize("padding_counts", [False, True])
def test_dense_counts_are_convolutions_of_ones(bordered, tmp_path, padding_counts):
    """With and without the zeros around each map."""
    write_layers(bordered, tmp_path)
    network, samples = read_network(tmp_path, explicit_padding=padding_counts)
    total = 0
    with torch.inference_mode():
        network(samples)
        sources = {None: samples, **{name: trains[0] for name, trains in network.spike_trains.items()}}
        for layer in (one for incoming in network.synapses for one in incoming):
            layer.convolution.weight.data = torch.ones_like(layer.convolution.weight)
            ones = torch.ones_like(sources[layer.source])[:, layer.read]
            padded = torch.nn.functional.pad(ones, layer.zeros, value=1.0)
            total += int(layer.convolution(padded).sum())
    assert our_counts(bordered, padding_counts=padding_counts).dense == total * network.timesteps


def test_counts_of_binary_input_are_accumulates(bordered):
    binary = (bordered.samples > 0).astype(np.float32)
    case = run_case(bordered.name, bordered.network, bordered.placement, bordered.profile, binary)
    counts, tiles = our_counts(case), case.counts.tiles
    current = case.network.input_projections[0]
    met = sum(
        int(sample[source]) * case.network.timesteps
        for sample, (source, _, _) in product(binary, list(synapses(current.connectivity, current.weights)))
    )
    assert counts.effective_macs == 0
    assert counts.acs_of_all_weights == sum(tile.ac_dense for tile in tiles) + met


def test_networks_that_torch_layers_do_not_compute_are_refused(bordered):
    network = bordered.network
    populations = [replace(one, reset="zero") for one in network.populations]
    with pytest.raises(ValueError, match="reset by subtraction"):
        describe_layers(replace(network, graph=build_graph(populations, network.projections)), bordered.samples)
    projections = [replace(one, delay=1) for one in network.projections]
    late = replace(network, graph=build_graph(network.populations, projections))
    with pytest.raises(ValueError, match="brings spikes late"):
        describe_layers(late, bordered.samples)


def test_messages_of_neurons_equal_a_listing_of_all_synapses(bordered):
    core_of = {
        (tile.population, *neuron): number
        for number, core in enumerate(bordered.placement.cores)
        for tile in core.tiles
        for neuron in product(range(*tile.channels), range(*tile.rows), range(*tile.columns))
    }
    expected = defaultdict(int)
    for projection in bordered.network.projections:
        shape = bordered.network.population(projection.source).shape
        spikes = bordered.spike_trains[projection.source].sum(axis=(0, 1), dtype=np.int64).reshape(shape)
        reached = defaultdict(set)
        for source, target, _ in synapses(projection.connectivity, projection.weights):
            reached[source].add(core_of[(projection.target, *target)])
        for source, cores in reached.items():
            for core in cores:
                expected[core_of[(projection.source, *source)], core] += int(spikes[source])
    traffic = messages_of_neurons(bordered)
    found = zip(traffic.source.tolist(), traffic.target.tolist(), traffic.messages.tolist(), strict=True)
    assert {(source, target): count for source, target, count in found} == expected
    hop_x, hop_y = hops(bordered, traffic.source, traffic.target)
    events = our_events(bordered)
    assert (events.hop_x, events.hop_y) == (traffic.messages @ hop_x, traffic.messages @ hop_y)
    assert events.hop_x > 0 < events.hop_y


def test_neurons_on_sanafe_lie_on_our_cores(bordered, tmp_path):
    write_sanafe_network(bordered, tmp_path)
    with np.load(tmp_path / "network.npz") as arrays:
        assert set(arrays["wide/core"]) == {0, 1}
        assert set(arrays["strided/core"]) == {(2 * 4 + 1) * 4, (7 * 4 + 3) * 4 + 2}
        for projection in bordered.network.projections:
            assert arrays[f"{projection.name}/pairs"].shape == (projection.connectivity.synapse_count, 2)


def sanafe_run(case, **changes):
    """What SANA-FE would have found if it were as we are, but for the accesses while layers have no window."""
    neurons = sum(population.neuron_count for population in case.network.populations)
    steps = len(case.samples) * case.network.timesteps + 2
    events = replace(our_events(case), neuron_access=neurons * steps)
    energies = events.energies_pj(SANAFE_PJ)
    network = energies["message"] + energies["hop_x"] + energies["hop_y"]
    soma = energies["neuron_access"] + energies["neuron_update"] + energies["spike"]
    parts = {"synapse": energies["synapse"], "dendrite": 0.0, "soma": soma, "network": network}
    run = SanafeRun(
        events=events,
        effective_synapse=sum(tile.ac_effective for tile in case.counts.tiles),
        update_where_active=events.neuron_update,
        different_spikes=0,
        different_core_messages=0,
        different_core_operations=0,
        steps=steps,
        constants_pj=SANAFE_PJ,
        energies_pj={**parts, "total": sum(parts.values())},
    )
    return replace(run, **changes)


def test_differences_are_named(bordered):
    same = sanafe_run(bordered)
    assert same.problems(bordered) == []
    assert len(sanafe_run(bordered, different_spikes=2, effective_synapse=1).problems(bordered)) == 2
    one_more = replace(same.events, spike=same.events.spike + 1)
    assert [problem.partition(":")[0] for problem in sanafe_run(bordered, events=one_more).problems(bordered)] == [
        "spike", "soma", "total",
    ]  # fmt: skip
    assert "| synapse |" in "\n".join(sanafe_table(bordered, same))


def environment(name, requirements):
    if not (ROOT / name / INSTALLED).exists():
        pytest.skip(f"no environment {name}; python -m benchmarks.energy_peers makes it")
    return peer_python(ROOT / name, requirements)


@pytest.mark.slow
@pytest.mark.parametrize("input_values", ["real", "binary", "binary but for one"])
def test_neurobench_counts_the_same(bordered, input_values):
    """One value that is no spike makes all samples' operations on the input multiply-accumulates."""
    samples = bordered.samples if input_values == "real" else (bordered.samples > 0).astype(np.float32)
    if input_values == "binary but for one":
        samples[0, 0, 0, 0] = 0.5
    case = run_case(bordered.name, bordered.network, bordered.placement, bordered.profile, samples)
    run = run_neurobench(case, environment(".venv-neurobench", NEUROBENCH), 1)
    assert run.problems(case) == []
    assert (run.counts.effective_macs == 0) == (input_values == "binary")


@pytest.mark.slow
def test_sanafe_counts_the_same(bordered):
    run = run_sanafe(bordered, environment(".venv-sanafe", SANAFE), 1)
    assert run.constants_pj == pytest.approx(SANAFE_PJ)
    assert run.problems(bordered) == []


@pytest.mark.slow
def test_sanafe_runs_the_worked_example(worked_example):
    """One step more than our four, as a layer sees spikes a step later: six more accesses."""
    run = run_sanafe(worked_example, environment(".venv-sanafe", SANAFE), 1)
    assert run.problems(worked_example) == []
    assert run.effective_synapse == 14
    assert run.energies_pj["total"] == pytest.approx(4424.7 + 6 * 51.2)


@pytest.mark.slow
def test_sanafe_sends_one_message_to_a_core_where_we_send_one_for_each_projection():
    network = example.network()
    (projection,) = network.projections
    twice = [projection, replace(projection, name="again")]
    doubled = replace(network, graph=build_graph(network.populations, twice))
    profile = parse_profile(profile_text("loihi"), "loihi")
    case = run_case("two projections", doubled, example.placement(), profile, example.SAMPLE)
    run = run_sanafe(case, environment(".venv-sanafe", SANAFE), 1)
    assert (our_events(case).message, run.events.message) == (18, 9)
    assert run.problems(case) == [
        "message: 18 here, 9 there", "pairs of cores with other messages: 0 here, 2 there",
    ]  # fmt: skip


def test_help():
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.energy_peers", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert ended.returncode == 0
    assert "--networks" in ended.stdout
