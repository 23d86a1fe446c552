"""The same network without spikes: figures of the network of six neurons, worked out by hand."""

import json
from dataclasses import replace

import pytest
import worked_example_network as example

from hw_profiles.energy import EVENT_KINDS, energy_presets
from nmdeploy.energy.comparison import compare_formats, equivalent_bits, number_formats
from nmdeploy.energy.report import EnergyReport


@pytest.fixture(scope="module")
def counts():
    return example.counts()


@pytest.mark.parametrize(("timesteps", "bits"), [(1, 1), (3, 2), (4, 3), (7, 3), (8, 4), (31, 5), (32, 6), (255, 8)])
def test_bits_that_tell_as_much_apart_as_a_rate(timesteps, bits):
    assert 2**bits >= timesteps + 1 > 2 ** (bits - 1)
    assert equivalent_bits(timesteps) == bits


def test_as_many_bits_as_eight_cost_what_is_published():
    narrow = number_formats(255)[-1]
    assert narrow.name == "8-bit activations, 8-bit weights"
    assert narrow.trained_mac_pj == pytest.approx(energy_presets()["int8"].mac_pj, rel=1e-12)


def test_both_in_one_format(counts):
    """34 additions and 12 multiply-accumulates beside 20 multiply-accumulates, at 3 bits of 0.105 pJ each."""
    comparisons = compare_formats(counts)
    spiking = [34 * 0.9 + 12 * 4.6, 34 * 0.1 + 12 * 3.2, 34 * 0.03 + 12 * 0.23, 34 * 0.03 + 12 * 0.23]
    trained = [20 * 4.6, 20 * 3.2, 20 * 0.23, 20 * 0.105]
    assert [one.spiking_pj for one in comparisons] == pytest.approx(spiking, rel=1e-12)
    assert [one.trained_pj for one in comparisons] == pytest.approx(trained, rel=1e-12)
    ratios = [of_trained / of_spiking for of_trained, of_spiking in zip(trained, spiking, strict=True)]
    assert [one.ratio for one in comparisons] == pytest.approx(ratios, rel=1e-12)
    assert EnergyReport(counts, energy_presets()["int32"]).spikes_per_synapse == 2.25


def test_published_break_even():
    """5.11 spikes a synapse in 32-bit float, 32 in 32-bit integer, 7.67 in 8-bit integer; 6 bits: 0.18 / 0.03."""
    assert [f"{one.break_even:.2f}" for one in number_formats(32)] == ["5.11", "32.00", "7.67", "6.00"]


def test_memory_makes_both_dearer(counts):
    """Weights of a byte, potentials and messages of four; activations of the trained network of a byte."""
    eight_bits = compare_formats(counts)[2]
    a_byte = 10 / 8192
    spiking = (12 * 12 + 18 * 8) + ((16 + 8 + 16 + 16 + 4) * 16 + (18 + 8 + 4 + 18 + 8) * 8)
    spiking += 9 * 2 * 4000 + 6 * 4000 + 12 * 12
    spiking_pj = 34 * 0.03 + 12 * 0.23 + spiking * a_byte + 18 * 0.1
    assert eight_bits.spiking_with_memory_pj == pytest.approx(spiking_pj, rel=1e-12)
    values = (14 * 14 + 9 * 9) + (3 * 3 + 4 * 4 + 4 * 4 + 2 * 2)
    assert eight_bits.trained_with_memory_pj == pytest.approx(20 * 0.23 + values * a_byte + 13 * 0.1, rel=1e-12)


def test_a_network_that_does_nothing_has_no_ratio(counts):
    idle = [replace(tile, projections=(), input_mac_dense=0, input_additions=0) for tile in counts.tiles]
    for one in compare_formats(replace(counts, tiles=tuple(idle))):
        assert (one.spiking_pj, one.ratio) == (0, None)
    json.dumps([one.as_dict() for one in compare_formats(replace(counts, tiles=()))], allow_nan=False)


def test_static_power_is_that_of_all_chips_for_the_whole_latency(counts):
    """42 mW for 5 steps of 1 ms are 210 uJ; layers and cores do not share it."""
    report = EnergyReport(counts, energy_presets()["truenorth-marginal"])
    assert counts.latency_steps == 5
    assert report.total.energy_by_kind_pj["static"] == pytest.approx(210e6, rel=1e-12)
    assert sum(row.energy_pj for row in report.layers) == pytest.approx(18 * 2.297, rel=1e-12)


def test_presets_say_what_they_leave_out():
    for preset in energy_presets().values():
        said = preset.left_out.split("without a price: ")[-1].split(", ")
        named = {*preset.energy_pj, *preset.contained}
        assert {kind.replace("_", " ") for kind in EVENT_KINDS if kind not in named} == set(said)
        assert preset.source
        assert preset.includes
