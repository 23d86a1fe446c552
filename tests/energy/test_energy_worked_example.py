"""Spikes, operations and energies of a network of six neurons, against figures worked out by hand."""

import numpy as np
import pytest
import worked_example_network as example

from hw_profiles import load_profile
from hw_profiles.energy import energy_presets, load_preset
from nmdeploy.energy.count_operations import count_operations
from nmdeploy.energy.report import EnergyReport
from nmdeploy.simulator import simulate

PRESETS = ("fp32-horowitz", "int32", "int8", "fp32")
FLOAT_PJ = dict(zip(PRESETS, ("92.00", "64.00", "4.60", "72.00"), strict=True))
SPIKING_PJ = {
    ("every-step", "dense"): dict(zip(PRESETS, ("237.00", "155.40", "11.58", "189.00"), strict=True)),
    ("every-step", "effective"): dict(zip(PRESETS, ("141.40", "91.00", "6.86", "113.40"), strict=True)),
    ("cached", "dense"): dict(zip(PRESETS, ("85.80", "41.80", "3.78", "73.80"), strict=True)),
}
OPERATIONS = {("every-step", "dense"): (48, 18), ("every-step", "effective"): (28, 14), ("cached", "dense"): (12, 34)}


@pytest.fixture(scope="module")
def simulated():
    return simulate(example.network(), example.SAMPLE, record_spike_trains=True)


@pytest.fixture(scope="module")
def counts():
    return example.counts()


def test_spikes_of_every_step(simulated):
    hidden = [[1, 0, 0, 1], [1, 1, 0, 1], [1, 0, 0, 1], [1, 0, 0, 1]]
    assert simulated.spike_trains["hidden"].tolist() == [hidden]
    assert simulated.spike_trains["out"].tolist() == [[[1, 1], [1, 1], [0, 0], [1, 1]]]


def test_spike_counts_and_final_potentials(simulated):
    assert simulated.spike_counts["hidden"].tolist() == [[4, 1, 0, 4]]
    assert simulated.spike_counts["out"].tolist() == [[3, 3]]
    assert simulated.potentials[0, -1].tolist() == [0, 4, 0, 8, 2, 1]
    assert simulated.saturations == 0


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(("convention", "counting"), SPIKING_PJ)
def test_energy_table(counts, preset, convention, counting):
    report = EnergyReport(counts, energy_presets()[preset], counting, convention)
    mac, ac = OPERATIONS[convention, counting]
    assert (report.total.mac, report.total.ac) == (mac, ac)
    assert f"{report.total.energy_pj:.2f}" == SPIKING_PJ[convention, counting][preset]
    assert report.float_network.mac == 20
    assert f"{report.float_network.energy_pj:.2f}" == FLOAT_PJ[preset]


def test_published_figures_of_loihi(counts):
    """KerasSpiking: 18 x 27.1 + 24 x 81. SANA-FE: 18 x 35.5 + 24 x (51.2 + 21.6) + 15 x 69.3 + 9 x 111, no hops."""
    presets = energy_presets()
    assert f"{EnergyReport(counts, presets['loihi-kerasspiking']).total.energy_pj:.2f}" == "2431.80"
    assert f"{EnergyReport(counts, presets['loihi-sanafe']).total.energy_pj:.2f}" == "4424.70"
    assert EnergyReport(counts, presets["loihi-sanafe"]).float_network.energy_pj is None


def test_a_preset_of_ones_own_that_prices_updates_and_biases(counts, tmp_path):
    """24 updates and 12 biases at 0.9 pJ are 32.4 pJ more than the 237.0 of 32-bit float."""
    path = tmp_path / "with_updates.toml"
    path.write_text(
        'title = "x"\nscope = "arithmetic"\nnode = "45 nm"\nincludes = "x"\nleaves_out = "x"\nstatus = "assumed"\n'
        'source = "x"\n[energy_pj]\naccumulate = 0.9\nmultiply_accumulate = 4.6\nneuron_update = 0.9\n'
        "bias_addition = 0.9\n"
    )
    preset = load_preset(str(path))
    assert preset.name == "with_updates"
    report = EnergyReport(counts, preset, "dense", "every-step")
    assert f"{report.total.energy_pj:.2f}" == "269.40"


def test_messages_and_spikes_per_synapse(counts):
    """Core A sends 5 spikes to core C, core B 4; the 8 synapses of the second layer carry 18 spikes."""
    by_core = {tile.core: tile for tile in counts.tiles}
    assert [by_core[str(core)].messages for core in (example.CORE_A, example.CORE_B, example.CORE_C)] == [5, 4, 0]
    report = EnergyReport(counts, energy_presets()["int32"])
    assert report.spikes_per_synapse == 2.25
    assert report.total.events["reset"] == 15


def test_every_energy_is_exact_to_the_last_digit_and_not_only_when_rounded(counts):
    report = EnergyReport(counts, energy_presets()["int8"])
    assert report.total.energy_pj == pytest.approx(3.78, rel=1e-12)


def test_operations_are_charged_to_the_core_of_the_target_and_spikes_to_the_sender(counts):
    by_core = {tile.core: tile for tile in counts.tiles}
    a, b, c = (by_core[str(core)] for core in (example.CORE_A, example.CORE_B, example.CORE_C))
    assert (a.ac_dense, b.ac_dense, c.ac_dense) == (0, 0, 18)
    assert (a.ac_effective, b.ac_effective, c.ac_effective) == (0, 0, 14)
    assert (a.spikes, b.spikes, c.spikes) == (5, 4, 6)
    assert (a.input_mac_dense, b.input_mac_dense, c.input_mac_dense) == (6, 6, 0)
    assert a.input_mac_effective + b.input_mac_effective == 7


def test_neuron_updates_and_bias_additions(counts):
    report = EnergyReport(counts, energy_presets()["int32"])
    events = report.total.events
    assert (events["neuron_update"], events["bias_addition"], events["spike"]) == (24, 12, 15)


def test_figures_are_per_inference(simulated):
    """Twice the same sample costs the same for one inference."""
    samples = np.concatenate([example.SAMPLE, example.SAMPLE])
    spike_counts = simulate(example.network(), samples).spike_counts
    counts = count_operations(
        example.network(),
        example.placement(),
        load_profile("loihi"),
        samples,
        spike_counts,
        float_layers=example.FLOAT_LAYERS,
    )
    report = EnergyReport(counts, energy_presets()["int32"], "dense", "cached")
    assert report.samples == 2
    assert f"{report.total.energy_pj:.2f}" == "41.80"
    events = report.total.events
    assert (events["neuron_update"], events["bias_addition"], events["spike"]) == (24, 12, 15)
