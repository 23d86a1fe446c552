"""The same network without spikes: figures of the network of six neurons, worked out by hand."""

import pytest
import worked_example_network as example

from hw_profiles import load_profile
from hw_profiles.energy import EVENT_KINDS, energy_presets
from nmdeploy.energy.comparison import compare, equivalent_bits, quantised_mac_pj
from nmdeploy.energy.count_operations import count_operations
from nmdeploy.energy.report import energy_report
from nmdeploy.simulator import simulate


@pytest.fixture(scope="module")
def counts():
    spikes = simulate(example.network(), example.SAMPLE).spike_counts
    return count_operations(
        example.network(),
        example.placement(),
        load_profile("loihi"),
        example.SAMPLE,
        spikes,
        float_layers=example.FLOAT_LAYERS,
    )


@pytest.mark.parametrize(("timesteps", "bits"), [(1, 1), (3, 2), (4, 3), (7, 3), (8, 4), (31, 5), (32, 6), (255, 8)])
def test_bits_that_tell_as_much_apart_as_a_rate(timesteps, bits):
    assert 2**bits >= timesteps + 1 > 2 ** (bits - 1)
    assert equivalent_bits(timesteps) == bits


def test_eight_bits_cost_what_is_published():
    assert quantised_mac_pj(8) == pytest.approx(energy_presets()["int8"].mac_pj, rel=1e-12)


def test_ratios_and_break_even(counts):
    """20 multiply-accumulates of 4.6, 0.23 and, at the 3 bits of 4 steps, 0.105 pJ, beside 41.8 pJ with spikes."""
    comparison = compare(counts, energy_presets()["int32"], "dense", "cached")
    assert comparison.spiking_pj == pytest.approx(41.8, rel=1e-12)
    assert comparison.spikes_per_synapse == 2.25
    energies = [baseline.energy_pj for baseline in comparison.baselines]
    assert energies == pytest.approx([92.0, 4.6, 2.1], rel=1e-12)
    assert [baseline.ratio for baseline in comparison.baselines] == pytest.approx([92 / 41.8, 4.6 / 41.8, 2.1 / 41.8])
    assert [baseline.break_even for baseline in comparison.baselines] == pytest.approx([46, 2.3, 1.05])


def test_published_break_even():
    """5.11 spikes a synapse in 32-bit float, 32 in 32-bit integer, 7.67 in 8-bit integer."""
    presets = energy_presets()
    figures = {name: presets[name].mac_pj / presets[name].ac_pj for name in ("fp32-horowitz", "int32", "int8")}
    assert {name: f"{figure:.2f}" for name, figure in figures.items()} == {
        "fp32-horowitz": "5.11",
        "int32": "32.00",
        "int8": "7.67",
    }


def test_memory_makes_both_dearer_and_counts_weights_of_a_byte(counts):
    comparison = compare(counts, energy_presets()["int32"], "dense", "cached")
    a_byte = 10 / 8192
    spiking = (12 * 12 + 18 * 8) + ((16 + 8 + 16 + 16 + 4) * 16 + (18 + 8 + 4 + 18 + 8) * 8)
    spiking += 9 * 2 * 4000 + 6 * 4000 + 12 * 12
    assert comparison.spiking_with_memory_pj == pytest.approx(41.8 + spiking * a_byte + 18 * 0.1, rel=1e-12)
    eight_bits = comparison.baselines[1]
    values = (14 * 14 + 9 * 9) + (3 * 3 + 4 * 4 + 4 * 4 + 2 * 2)
    assert eight_bits.energy_with_memory_pj == pytest.approx(4.6 + values * a_byte + 13 * 0.1, rel=1e-12)


@pytest.mark.parametrize("name", ["loihi-sanafe", "truenorth-average", "spinnaker", "lemaire2022"])
def test_what_contains_more_than_arithmetic_is_set_beside_none(counts, name):
    assert compare(counts, energy_presets()[name], "dense", "cached") is None


def test_static_power_is_that_of_all_chips_for_the_whole_latency(counts):
    """42 mW for 5 steps of 1 ms are 210 uJ; layers and cores do not share it."""
    report = energy_report(counts, energy_presets()["truenorth-marginal"])
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
