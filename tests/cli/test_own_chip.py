"""A chip of one's own from a TOML file, from the check of the file to the artifact."""

from collections import Counter
from dataclasses import replace

import pytest
from command_line import ROOT, nmdeploy, nmdeploy_here, refused

from hw_profiles import available_targets, parse_profile, profile_schema, profile_text
from mapping.place import placement_from_json
from nmdeploy.artifact.artifact import read_artifact, write_artifact

CHIP = ROOT / "examples" / "own_chip" / "my_chip.toml"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory, digits_model):
    """The digits network on the example's chip, named by a relative path."""
    folder = tmp_path_factory.mktemp("own") / "digits.nmd"
    options = ("-T", "8", "--method", "channel-percentile", "-o", folder, "--json")
    ended = nmdeploy_here("compile", digits_model, "--target", "./my_chip.toml", *options, cwd=CHIP.parent)
    assert ended.code == 0, ended.stderr
    return folder, ended.json


def test_artifact_holds_the_copy_and_is_legal(compiled, tmp_path):
    folder, summary = compiled
    assert summary["target"] == "my_chip"
    assert (folder / "profile.toml").read_bytes() == CHIP.read_bytes()
    ended = nmdeploy("check", folder, "--format", "json", cwd=tmp_path)
    assert ended.code == 0, ended.stdout
    assert ended.json["violations"] == []
    assert nmdeploy_here("energy", folder).code == 0


def test_no_core_is_used_that_the_chip_reserves_or_lost(compiled):
    folder, summary = compiled
    placement = placement_from_json((folder / "placement.json").read_text(encoding="utf-8"))
    addresses = [(core.address.chip, core.address.x, core.address.y, core.address.slot) for core in placement.cores]
    assert summary["chips"] >= 3
    assert not any(address[1:] == (0, 0, 0) for address in addresses)
    assert (1, 1, 1, 0) not in addresses
    # 8 cores a chip, one reserved on each and one dead on chip 1; chips are filled one after the other
    assert [Counter(chip for chip, *_ in addresses)[chip] for chip in (0, 1)] == [7, 6]


def test_core_that_broke_later_fails_the_check(compiled, tmp_path):
    """A profile with one more dead core, in an artifact that uses it."""
    folder, _ = compiled
    sites = "".join(
        f'[[mesh.dead_cores]]\nchip = {chip}\nx = 1\ny = 0\nslot = 1\nstatus = "assumed"\nsource = "self test"\n'
        for chip in (0, 3)
    )
    broken = tmp_path / "broken.toml"
    broken.write_text(CHIP.read_text(encoding="utf-8").replace("[[mesh.dead_cores]]", f"{sites}[[mesh.dead_cores]]"))
    assert nmdeploy_here("targets", "validate", broken).code == 0
    other = tmp_path / "digits.nmd"
    text = broken.read_text(encoding="utf-8")
    write_artifact(other, replace(read_artifact(folder), profile_text=text, profile=parse_profile(text, "broken")))
    ended = nmdeploy_here("check", other, "--format", "json")
    assert ended.code == 1
    assert [(item["rule"], item["where"]) for item in ended.json["violations"]] == [
        ("NMD112", "core chip 0 (1,0) slot 1")
    ]


def test_example_is_valid_and_shown():
    validated = nmdeploy_here("targets", "validate", CHIP)
    assert (validated.code, validated.stdout) == (0, f"{CHIP}: a valid profile\n")
    shown = nmdeploy_here("targets", "./my_chip.toml", cwd=CHIP.parent)
    assert shown.code == 0
    for words in ("mesh.dead_cores.0", "chip 1 (1,1)", "every chip (0,0)", "192", "An invented chip"):
        assert words in shown.stdout


def test_problems_are_listed_with_file_line_and_key(tmp_path):
    text = CHIP.read_text(encoding="utf-8")
    line = text[: text.index("[core_limits.compartments]")].count("\n") + 2
    wrong = text.replace("[core_limits.compartments]\nvalue = 192", "[core_limits.compartments]\nvalue = 0")
    wrong = wrong.replace("[signed_spikes]\nvalue = false\n", "[signed_spikes]\n")
    (tmp_path / "wrong.toml").write_text(wrong)
    last = wrong.splitlines().index("[signed_spikes]") + 1
    ended = nmdeploy_here("targets", "validate", "wrong.toml", cwd=tmp_path)
    assert ended.code == 1
    first, second, total = ended.stdout.splitlines()
    assert first.startswith(f"wrong.toml:{line}: core_limits.compartments.value: ")
    assert second == f"wrong.toml:{last}: signed_spikes.value: Field required"
    assert total == "wrong.toml: 2 problems"
    ended = nmdeploy_here("targets", "validate", "wrong.toml", "--json", cwd=tmp_path)
    assert (ended.code, ended.json["valid"]) == (1, False)
    assert [(item["key"], item["line"]) for item in ended.json["problems"]] == [
        ("core_limits.compartments.value", line),
        ("signed_spikes.value", last),
    ]


def test_no_toml_is_a_problem_and_no_file_an_error(tmp_path):
    (tmp_path / "chip.toml").write_text("name = 'chip'\n= nonsense [\n")
    ended = nmdeploy_here("targets", "validate", "chip.toml", cwd=tmp_path)
    assert ended.code == 1
    assert ended.stdout.startswith("chip.toml:2: not valid TOML")
    refused(nmdeploy_here("targets", "validate", "none.toml", cwd=tmp_path), "none.toml", "cannot be read")
    refused(nmdeploy_here("targets", "validate", "loihi9"), "unknown target 'loihi9'")


@pytest.mark.parametrize("name", available_targets())
def test_every_target_of_the_package_is_valid_and_listed(name):
    ended = nmdeploy_here("targets", "validate", name, "--json")
    assert (ended.code, ended.json["problems"]) == (0, [])
    listed = nmdeploy_here("targets", "--json").json[name]
    assert listed["cores_per_chip"] >= 1
    assert listed["core_holds"]
    mapping_only = {"rolls": "mapping only: neurons and synapses", "speck": "mapping only: layers to cores"}
    assert listed["compile"] == mapping_only.get(name, "yes")
    assert name in nmdeploy_here("targets").stdout
    assert nmdeploy_here("targets", "--json", name).json["name"] == name


def test_schema_is_printed():
    ended = nmdeploy_here("targets", "schema")
    assert (ended.code, ended.json) == (0, profile_schema())


def test_profile_text_of_the_example_names_the_schema():
    assert profile_text(str(CHIP)).startswith("#:schema ../../hw_profiles/profile_schema.json\n")
    assert (CHIP.parent / "../../hw_profiles/profile_schema.json").is_file()
