"""The comparison with RANC on a stand-in for it: that it agrees, and that it finds what is wrong with a program."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.crossbar_comparison import compare_with_ranc, early_firing
from benchmarks.crossbar_peer import crossbar_case
from benchmarks.hand_made_crossbars import hand_made_crossbars
from benchmarks.ranc_chip import loaded_potentials, ranc_chip
from mapping.network import build_graph

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def ranc(tmp_path_factory):
    """An executable file that takes RANC's arguments."""
    executable = tmp_path_factory.mktemp("ranc") / "ranc_sim"
    executable.write_text(f"#!{sys.executable}\n" + (Path(__file__).parent / "ranc_stand_in.py").read_text())
    executable.chmod(0o755)
    return executable


@pytest.fixture(scope="module")
def case():
    whole = hand_made_crossbars()
    return replace(whole, samples=whole.samples[:2])


def changed_network(case, name, **fields):
    """The case with another population of this name."""
    populations = [
        replace(population, **fields) if population.name == name else population
        for population in case.network.populations
    ]
    return replace(case, network=replace(case.network, graph=build_graph(populations, case.network.projections)))


def changed_program(case, part, field, place, value):
    """The case with another entry in an array of its program."""
    arrays = getattr(case.program, part)
    changed = getattr(arrays, field).copy()
    changed[place] = value
    return replace(case, program=replace(case.program, **{part: replace(arrays, **{field: changed})}))


def test_hand_made_network_agrees_in_every_column(case, ranc):
    compared = compare_with_ranc(case, ranc)
    assert compared.problems() == []
    copies = {one.name: one.columns / one.neurons for one in compared.populations}
    # wide: the relay, and two axons of the core that resets to zero; relay: four there; zero: five of both last cores
    assert copies == {"wide": 3, "relay": 4, "zero": 10, "head": 1}
    for one in compared.populations:
        steps = one.neurons * case.network.timesteps * len(case.samples)
        assert 0.02 * steps < one.spikes < 0.98 * steps
        assert one.column_spikes == one.spikes * copies[one.name]
    # every sensor drives four axons in each core that it reaches, and the constant source one in each of two
    axons = case.program.axons
    assert compared.host_spikes > 2 * 2 * case.network.timesteps
    assert set(axons.axon_type[axons.projection == 5].tolist()) == {1}


def test_compiled_network_agrees_in_every_column(ranc):
    """Partial sums on many cores, weights with a common divisor that is no power of two."""
    compared = compare_with_ranc(crossbar_case("bordered", None), ranc)
    assert compared.problems() == []
    assert len(compared.populations) == 9
    assert all(one.spikes for one in compared.populations)


@pytest.mark.parametrize(
    ("part", "field", "change"),
    [
        ("columns", "delay", 2),
        ("columns", "neuron", 5),
        ("axons", "axon_type", 3),
        ("axons", "source_neuron", 40),
    ],
)
def test_a_wrong_entry_of_the_program_is_found(case, ranc, part, field, change):
    compared = compare_with_ranc(changed_program(case, part, field, 0, change), ranc)
    assert compared.problems()


def test_leak_that_fires_before_the_window_is_named(case):
    assert early_firing(case.network) == []
    # starts in step 3: two leaks are added between its first step and its window
    numbers = {"threshold": np.full(8, 20), "initial_potential": np.full(8, 10)}
    leaks = np.array([-4, 4, 5, 100, -5, 0, -6, -4])[:, None, None]
    changed = changed_network(case, "zero", bias_mantissa=leaks, **numbers)
    named = early_firing(changed.network)
    assert named == ["zero: 2 neurons reach the threshold before their window by leak alone"]


def test_spikes_before_the_window_are_counted(case, ranc):
    head = case.network.population("head")
    leaks = np.full_like(head.bias_mantissa, -4)
    compared = compare_with_ranc(changed_network(case, "head", bias_mantissa=leaks), ranc)
    early = {one.name: one.early for one in compared.populations}
    assert early.pop("head") > 0
    assert set(early.values()) == {0}
    assert any(problem.startswith("head: 5 neurons reach the threshold") for problem in compared.problems())


def test_potentials_are_loaded_with_the_leaks_before_the_window(case):
    zero = case.network.population("zero")
    leaks = zero.bias_mantissa[:, 0, 0]
    assert leaks.any()
    assert loaded_potentials(zero).tolist() == (zero.initial_potential - 3 * leaks).tolist()


def test_delays_beyond_the_schedulers_are_refused(case):
    for delay in (0, 16):
        wrong = changed_program(case, "columns", "delay", 0, delay)
        with pytest.raises(ValueError, match="delays run from 1 to 15"):
            ranc_chip(wrong.network, wrong.program, wrong.core_count, wrong.profile)


def test_two_synapses_in_one_entry_are_refused(case):
    projections = list(case.network.projections)
    wide = projections[0].connectivity
    twice = replace(wide, rows=np.repeat(wide.rows[:, :1], 2, axis=1))
    projections[0] = replace(projections[0], connectivity=twice)
    network = replace(case.network, graph=build_graph(case.network.populations, projections))
    with pytest.raises(ValueError, match="by several taps"):
        ranc_chip(network, case.program, case.core_count, case.profile)


def test_command_says_whether_spikes_differ(ranc):
    command = [sys.executable, "-m", "benchmarks.crossbar_peer", str(ranc), "--networks", "hand-made"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.endswith("No spike differs.\n")
