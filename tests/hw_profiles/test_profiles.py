"""Profiles load, every number has a source, and mistakes name the field."""

import re
from typing import get_args

import pytest

from hw_profiles import (
    ProfileError,
    available_profiles,
    available_targets,
    load_profile,
    load_target,
    parse_profile,
    profile_text,
)
from hw_profiles.quantities import NeuronModels
from mapping.neuron_models import NeuronModel


def quantities(data, path=""):
    """Yield every part of a profile that has a source."""
    if "source" in data:
        yield path, data
    for name, value in data.items():
        for index, part in enumerate(value if isinstance(value, tuple) else (value,)):
            if isinstance(part, dict):
                yield from quantities(part, f"{path}.{name}.{index}")


@pytest.mark.parametrize("name", available_targets())
def test_profile_loads_and_every_quantity_has_source_and_status(name):
    profile = load_target(name)
    assert profile.name == name
    found = list(quantities(profile.model_dump()))
    assert len(found) >= {"rolls": 5, "truenorth": 15}.get(name, 30)
    for path, quantity in found:
        assert quantity["source"].strip(), path
        assert quantity["status"] in ("published", "derived", "assumed"), path


def test_targets_of_the_package():
    compilable = ["loihi", "loihi2", "spinnaker", "spinnaker2"]
    assert available_targets() == sorted([*compilable, "rolls", "speck", "truenorth"])
    assert available_profiles() == compilable


@pytest.mark.parametrize(("name", "missing"), [("rolls", "analog"), ("speck", "no quantiser")])
def test_targets_that_networks_cannot_be_compiled_for_say_why(name, missing):
    with pytest.raises(ProfileError, match=f"target {name} .* cannot be compiled for: .*{missing}"):
        load_profile(name)


def test_a_chip_of_crossbars_is_no_chip_of_synapse_lists():
    with pytest.raises(ProfileError, match=r"target truenorth .* is a chip of crossbars"):
        load_profile("truenorth")
    assert load_target("truenorth").kind == "crossbars"


def test_loihi2_formats():
    """24-bit states, thresholds and biases, graded spikes, and a reset by subtraction that costs nothing."""
    profile = load_profile("loihi2")
    formats, costs = profile.number_formats, profile.core_costs
    assert formats.state_max == formats.threshold_mantissa_max.value == formats.bias_mantissa_max.value == 2**23 - 1
    assert formats.spike_payload_bits.value == 32
    assert load_profile("loihi").number_formats.spike_payload_bits is None
    assert costs.compartments_per_neuron_subtractive_reset.value == costs.compartments_per_neuron_zero_reset.value == 1
    assert costs.reset_synapses_per_subtractive_neuron.value == 0


def test_speck_memories():
    """The table of the reference: neuron memory of 64, 32 and 16 Ki, kernel memory of 16, 32 and 64 Ki."""
    kibi = [(core.neuron_entries.value / 1024, core.kernel_entries.value / 1024) for core in load_target("speck").cores]
    assert kibi == [*[(64, 16)] * 3, *[(32, 32)] * 2, *[(16, 64)] * 2, *[(16, 16)] * 2]


def test_truenorth_crossbars():
    profile = load_target("truenorth")
    assert profile.mesh.cores_per_chip == 4096
    crossbar = profile.crossbar
    assert (crossbar.axons.value, crossbar.neurons.value, crossbar.axon_types.value) == (256, 256, 4)


def test_neuron_models_are_those_of_the_mapping():
    field = NeuronModels.model_fields["names"].annotation
    assert set(get_args(get_args(field)[0])) == set(get_args(NeuronModel))


def test_loihi_capacities():
    profile = load_profile("loihi")
    assert profile.mesh.cores_per_chip == 128
    assert profile.core_limits.compartments.value == 1024
    assert profile.core_limits.synapse_memory_words.value == 16383
    assert profile.number_formats.state_max == 2**23 - 1
    assert 7 not in profile.number_formats.weight_bits.values


@pytest.mark.parametrize("name", ["loihi2", "spinnaker", "spinnaker2"])
def test_programmable_chips(name):
    """Neurons are programs: any of our models, any threshold up to the state's width, reset for nothing."""
    profile = load_profile(name)
    formats, costs = profile.number_formats, profile.core_costs
    assert set(profile.neuron_models.names) == set(get_args(NeuronModel))
    assert profile.reset_modes.names == ("subtract", "zero")
    assert profile.signed_spikes.value
    assert costs.compartments_per_neuron_subtractive_reset.value == 1
    assert costs.reset_synapses_per_subtractive_neuron.value == 0
    assert profile.core_limits.threshold_configurations is None
    assert profile.core_limits.compartment_configurations is None
    assert formats.threshold_mantissa_max.value << formats.threshold_exponent.value == formats.state_max
    assert formats.product_max == formats.state_max


def test_loihi_neither_multiplies_nor_sends_negative_spikes():
    profile = load_profile("loihi")
    assert profile.number_formats.product_max is None
    assert not profile.signed_spikes.value
    assert profile.neuron_models.names == ("if",)


def test_resources_of_chips():
    """What a chip does not have, it has no number for."""
    loihi, loihi2, spinnaker, spinnaker2 = map(load_profile, ("loihi", "loihi2", "spinnaker", "spinnaker2"))
    assert loihi.synapse_rows is loihi.memory_costs is loihi.core_limits.memory_bytes is None
    assert loihi2.synapse_rows is None
    assert loihi2.core_limits.memory_bytes.value == 192 * 1024
    for profile in (spinnaker, spinnaker2):
        limits = profile.core_limits
        assert profile.synapse_lists is profile.output_axons is None
        assert limits.input_axons is limits.output_axon_entries is limits.synapse_memory_words is None
        assert limits.synapses_per_row.value == 256
        assert set(profile.number_formats.weight_bits.values) == {8, 16}
    assert spinnaker.core_limits.compartments.value == 256
    assert spinnaker.core_limits.memory_bytes.value == 64 * 1024
    assert spinnaker2.core_limits.compartments is None
    assert spinnaker2.core_limits.memory_bytes.value == 128 * 1024
    assert (spinnaker.mesh.cores_per_chip, spinnaker2.mesh.cores_per_chip) == (16, 152)


@pytest.mark.parametrize(("name", "steps"), [("loihi", {8: 1, 4: 16}), ("spinnaker", {16: 1, 8: 1})])
def test_where_narrow_weights_stand(name, steps):
    formats = load_profile(name).number_formats
    assert {bits: formats.mantissa_step(bits) for bits in steps} == steps


def test_profile_of_a_path(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(profile_text("loihi"), encoding="utf-8")
    assert load_profile(str(path)) == load_profile("loihi")


COMPARTMENTS = r"(\[core_limits\.compartments\]\nvalue = )1024"
COMPARTMENTS_TABLE = r"\[core_limits\.compartments\]((?:\n.+){3})"


@pytest.mark.parametrize(
    ("pattern", "replacement", "message"),
    [
        (COMPARTMENTS, r'\1"1024"', "core_limits.compartments.value"),
        (COMPARTMENTS, r"\g<1>1024.0", "core_limits.compartments.value"),
        (COMPARTMENTS, r"\1true", "core_limits.compartments.value"),
        (COMPARTMENTS, r"\g<1>0", "core_limits.compartments.value"),
        (COMPARTMENTS, r"\g<1>1024\nextra = 1", "core_limits.compartments.extra"),
        (r"\[core_limits\.compartments\]", "[core_limits.compartment]", "core_limits.compartment: Extra inputs"),
        (COMPARTMENTS_TABLE, "", "core_limits: needs compartments or memory_bytes"),
        (COMPARTMENTS_TABLE, r"[core_limits.memory_bytes]\1", "core_limits.memory_bytes: needs [memory_costs]"),
        (COMPARTMENTS_TABLE, r"[core_limits.synapses_per_row]\1", "core_limits.synapses_per_row: needs [synapse_rows]"),
        (r"^values = .*", "values = [8, 9]", "number_formats.weight_bits: weights of 9 bits in a mantissa of 8"),
        (r"(\[signed_spikes\]\nvalue = )false", r"\g<1>0", "signed_spikes.value"),
        (r'^status = "published"', 'status = "rumoured"', "mesh.routers_x.status"),
        (r'^source = ".*"', 'source = ""', "mesh.routers_x.source"),
        (r'^source = ".*"\n', "", "mesh.routers_x.source: Field required"),
        (r"^value = 1$", "value = -1", "core_costs.compartments_per_neuron_zero_reset.value"),
        (r"^values = .*", "values = [1, 2.5]", "number_formats.weight_bits.values.1"),
        (r'^name = "loihi"\n', "", "name: Field required"),
        (r"\[mesh\.routers_x\]", "[mesh.routers_x", "not valid TOML"),
    ],
)
def test_mistakes_name_the_field(pattern, replacement, message):
    text, count = re.subn(pattern, replacement, profile_text("loihi"), count=1, flags=re.MULTILINE)
    assert count == 1
    with pytest.raises(ProfileError, match=re.escape(message)) as caught:
        parse_profile(text, "mine.toml")
    assert str(caught.value).startswith("profile mine.toml: ")


def test_all_mistakes_are_listed():
    text = profile_text("loihi").replace('status = "published"', 'status = "rumoured"')
    with pytest.raises(ProfileError) as caught:
        parse_profile(text, "mine.toml")
    assert str(caught.value).count("status") > 10


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ProfileError, match=r"unknown target 'loihi9'\. Known targets: .*loihi"):
        load_profile("loihi9")


def test_unreadable_files(tmp_path):
    with pytest.raises(ProfileError, match="cannot be read"):
        load_profile(str(tmp_path / "none.toml"))
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProfileError, match="cannot be read"):
        load_profile(str(binary))
