"""Whether the first steps of a window are a shorter window, which accuracy over time steps relies on."""

from dataclasses import replace

import numpy as np
import pytest
from chip_clock import chip_run
from counting_networks import counting_networks
from hypothesis import given, settings
from integer_networks import network, population
from lava_backend.networks import networks
from lava_backend.programmable_example import programmable_example, samples_of_example

from mapping.neuron_models import CountMemory
from nmdeploy.accuracy_curve import windows_are_prefixes
from nmdeploy.simulator import simulate

ONE = (1, 1, 1)


@pytest.mark.parametrize("made", [networks(), counting_networks()], ids=["fixed neurons", "count memories"])
def test_the_first_steps_are_a_window_where_it_is_said(made):
    compared = []

    @settings(max_examples=40, deadline=None)
    @given(made)
    def windows_of(net):
        if windows_are_prefixes(net):
            samples = np.random.default_rng(0).normal(size=(2, *net.input_shape)).astype(np.float32)
            whole = simulate(net, samples, timesteps=9).potentials
            for steps in (1, 4, 8):
                np.testing.assert_array_equal(whole[:, :steps], simulate(net, samples, timesteps=steps).potentials)
            compared.append(any(one.count_memory is not None for one in net.populations))

    windows_of()
    assert len(compared) > 5


def test_paced_neurons_with_a_lead_send_other_spikes_in_a_shorter_window():
    """8 of 10 are there from the start; the share owed after two steps is .4, then .6 of a window of 4, or .48 of 8."""
    eight = np.array([8])
    waiting = population("waiting", ONE, initial_potential=eight, count_memory=CountMemory(lead=2))
    net = network([waiting])
    sample = np.zeros((1, *ONE), np.float32)
    short, long = (chip_run(net, sample, steps)[0]["waiting"][0, :4, 0] for steps in (4, 8))
    assert short.tolist() == [0, 0, 1, 0]
    assert long.tolist() == [0, 0, 0, 1]
    assert not windows_are_prefixes(net)
    for memory in (CountMemory(lead=0), CountMemory(lead=0, paced=False)):
        assert windows_are_prefixes(network([replace(waiting, count_memory=memory)]))


def test_refinement_steps_are_the_last_of_each_window():
    """16 are there from the start: half of what a refinement step's spike takes, and less than half of twice that."""
    half = population("half", ONE, threshold=np.array([32]), initial_potential=np.array([16]))
    half = replace(half, count_memory=CountMemory(lead=0, release="half"))
    net = network([half], refinement_steps=1)
    sample = np.zeros((1, *ONE), np.float32)
    short, long = (chip_run(net, sample, steps)[0]["half"][0, :2, 0] for steps in (2, 8))
    assert short.tolist() == [0, 1]
    assert long.tolist() == [0, 0]
    assert not windows_are_prefixes(net)
    assert windows_are_prefixes(replace(net, refinement_steps=0))


def test_a_network_of_several_kinds():
    net, samples = programmable_example(), samples_of_example()
    assert not windows_are_prefixes(net)
    whole, alone = (simulate(net, samples, timesteps=steps).potentials for steps in (8, 6))
    assert (whole[:, 5] != alone[:, 5]).any()
