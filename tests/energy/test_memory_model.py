"""Memory accesses and addresses of the network of six neurons, worked out by hand."""

import pytest
import worked_example_network as example

from hw_profiles.energy import energy_presets
from nmdeploy.energy.memory_model import access_pj
from nmdeploy.energy.report import EnergyReport


@pytest.fixture(scope="module")
def counts():
    return example.counts()


@pytest.mark.parametrize(
    ("size_bytes", "expected_pj"),
    [(0, 0), (4096, 5), (8192, 10), (20480, 15), (32768, 20), (540672, 60.32), (1048576, 100), (10**8, 100)],
)
def test_an_access_costs_what_the_size_of_the_memory_makes_it(size_bytes, expected_pj):
    """Straight lines through 10 pJ at 8 KB, 20 at 32 KB and 100 at 1 MB; 540672 bytes are 508/992 of the last part."""
    expected = {540672: 20 + 80 * (540672 - 32768) / (1048576 - 32768)}.get(size_bytes, expected_pj)
    memory = energy_presets()["lemaire2022"].memory
    assert access_pj(memory, size_bytes) == pytest.approx(expected, rel=1e-12)


def test_spiking_network(counts):
    """Small memories cost 10 pJ / 8192 a byte. T = 4, 18 accumulates, 12 multiply-accumulates of 3 inputs.

    hidden: 12 weights of 4 bytes, 4 neurons, 16 updates, 16 input additions, 4 currents, 8 biases, 9 spikes, a way out
    out: 8 weights of 4 bytes, 2 neurons, 8 updates, 4 biases, 6 spikes, no way out; queues of 1000 values
    """
    a_byte = 10 / 8192
    weights = (12 * 48 + 18 * 32) * a_byte
    hidden_states = (16 + 8 + 16) + (16 + 4)
    out_states = (18 + 8 + 4) + (18 + 8)
    states = (hidden_states * 16 + out_states * 8) * a_byte
    messages = (9 * 2 * 4000 + 6 * 1 * 4000 + 12 * 12) * a_byte
    addresses = 18 * 0.1  # both layers are points, no convolution
    arithmetic = 18 * 0.1 + 12 * 3.2 + 16 * 0.1 + 12 * 0.1 + 15 * 0.1
    total = EnergyReport(counts, energy_presets()["lemaire2022"]).total
    by_kind = total.energy_by_kind_pj
    assert by_kind["weights in memory"] == pytest.approx(weights, rel=1e-12)
    assert by_kind["states in memory"] == pytest.approx(states, rel=1e-12)
    assert by_kind["messages in memory"] == pytest.approx(messages, rel=1e-12)
    assert by_kind["addresses"] == pytest.approx(addresses, rel=1e-12)
    assert total.energy_pj == pytest.approx(weights + states + messages + addresses + arithmetic, rel=1e-12)


def test_trained_network(counts):
    """12 and 8 multiply-accumulates, 2 and 1 biases; dense layers read each input once.

    hidden: 14 weights and biases, 3 inputs, 4 outputs; out: 9, 4 and 2; values of 4 bytes.
    """
    a_byte = 10 / 8192
    weights = (14 * 56 + 9 * 36) * a_byte
    activations = (3 * 12 + 4 * 16 + 4 * 16 + 2 * 8) * a_byte
    addresses = (3 + 4 + 4 + 2) * 0.1
    arithmetic = 20 * 3.2 + 3 * 0.1
    row = EnergyReport(counts, energy_presets()["lemaire2022"]).float_network
    assert row.energy_pj == pytest.approx(weights + activations + addresses + arithmetic, rel=1e-12)
