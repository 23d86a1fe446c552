"""Profiles load, every number has a source, and mistakes name the field."""

import re

import pytest

from hw_profiles import ProfileError, available_profiles, load_profile, parse_profile, profile_text


def quantities(data, path=""):
    """Yield every part of a profile that has a source."""
    if "source" in data:
        yield path, data
    for name, value in data.items():
        if isinstance(value, dict):
            yield from quantities(value, f"{path}.{name}")


@pytest.mark.parametrize("name", available_profiles())
def test_profile_loads_and_every_quantity_has_source_and_status(name):
    profile = load_profile(name)
    assert profile.name == name
    found = list(quantities(profile.model_dump()))
    assert len(found) > 30
    for path, quantity in found:
        assert quantity["source"].strip(), path
        assert quantity["status"] in ("published", "derived", "assumed"), path


def test_loihi_capacities():
    profile = load_profile("loihi")
    assert profile.mesh.cores_per_chip == 128
    assert profile.core_limits.compartments.value == 1024
    assert profile.core_limits.synapse_memory_words.value == 16383
    assert profile.number_formats.state_max == 2**23 - 1
    assert 7 not in profile.number_formats.weight_bits.values


def test_profile_of_a_path(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(profile_text("loihi"), encoding="utf-8")
    assert load_profile(str(path)) == load_profile("loihi")


COMPARTMENTS = r"(\[core_limits\.compartments\]\nvalue = )1024"


@pytest.mark.parametrize(
    ("pattern", "replacement", "message"),
    [
        (COMPARTMENTS, r'\1"1024"', "core_limits.compartments.value"),
        (COMPARTMENTS, r"\g<1>1024.0", "core_limits.compartments.value"),
        (COMPARTMENTS, r"\1true", "core_limits.compartments.value"),
        (COMPARTMENTS, r"\g<1>0", "core_limits.compartments.value"),
        (COMPARTMENTS, r"\g<1>1024\nextra = 1", "core_limits.compartments.extra"),
        (r"\[core_limits\.compartments\]", "[core_limits.compartment]", "core_limits.compartments: Field required"),
        (r"\[core_limits\.compartments\]", "[core_limits.compartment]", "core_limits.compartment: Extra inputs"),
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
