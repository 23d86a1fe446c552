"""Comparison of two artifacts: everything that differs is shown, with its sign, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from command_line import nmdeploy_here, refused
from mapped import index_of, layout, make_artifact, make_network, moved_apart, placed_anew, split_in_two

from hw_profiles.energy import energy_presets
from mapping.network import build_graph
from mapping.verify import verify
from nmdeploy.artifact.artifact import write_artifact
from nmdeploy.artifact.manifest import Options
from nmdeploy.energy.report import EnergyReport

FORMATS = ("table", "json", "md")


def compare(old, new, *options):
    ended = nmdeploy_here("compare", old, new, *options)
    assert (ended.code, ended.stderr) == (0, "")
    return ended


def differences(old, new, *options):
    """Differences by section, subject and name."""
    found = compare(old, new, "--format", "json", *options).json["differences"]
    return {(one["section"], one["subject"], one["name"]): one for one in found}


@pytest.fixture
def changed(artifact, tmp_path):
    """A folder with an artifact, or with the usual one changed."""

    def write(other=None, **manifest):
        other = other or artifact
        folder = tmp_path / "changed.nmd"
        write_artifact(folder, replace(other, manifest=other.manifest.model_copy(update=manifest)))
        return folder

    return write


def test_equal_artifacts(written, changed):
    """Written twice; all formats say that they are equal and show no difference."""
    ended = compare(written, changed(), "--format", "json")
    assert ended.json["equal"] is True
    assert ended.json["differences"] == []
    for output_format in ("table", "md"):
        shown = compare(written, changed(), "--format", output_format).stdout
        assert "equal: all files are the same, byte for byte" in shown
        assert "only in" not in shown
        assert "│" not in shown
        assert "|" not in shown


@pytest.mark.parametrize("name", Options.model_fields)
def test_every_option(artifact, written, changed, name):
    value = getattr(artifact.manifest.options, name)
    other = not value if isinstance(value, bool) else "other" if isinstance(value, str) else value + 1
    folder = changed(options=artifact.manifest.options.model_copy(update={name: other}))
    found = differences(written, folder)
    assert set(found) == {("options", "", name)}
    assert (found["options", "", name]["old"], found["options", "", name]["new"]) == (value, other)


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("nmdeploy_version", "0.0.9", "nmdeploy_version"),
        ("python_version", "3.9.0", "python_version"),
        ("dependencies", {"numpy": "1.0"}, "numpy_version"),
        ("model_sha256", "1" * 64, "model_sha256"),
        ("calibration", "noise", "calibration"),
        ("classes", ("cat", "dog"), "classes"),
    ],
)
def test_provenance(artifact, written, changed, field, value, name):
    if field == "dependencies":
        value = {**artifact.manifest.dependencies, **value}
    found = differences(written, changed(**{field: value}))
    assert set(found) == {("provenance", "", name)}
    assert found["provenance", "", name]["difference"] is None


def test_cores_moved_apart(artifact, written, changed):
    """Hops and links differ, the layers and the network do not."""
    folder = changed(moved_apart(artifact, index_of(artifact, "third")))
    found = differences(written, folder)
    names = {name for section, _, name in found if section == "mapping"}
    assert names == {"hops", "total_hops", "max_link_load", "mean_link_load"}
    assert {section for section, *_ in found} == {"mapping", "files"}
    assert found["mapping", "", "total_hops"]["difference"] > 0
    assert found["mapping", "", "total_hops"]["percent"] > 0


def test_a_tile_split_in_two(artifact, written, changed):
    found = differences(written, changed(split_in_two(artifact, index_of(artifact, "second"))))
    assert found["mapping", "", "cores"]["old"] == 7
    assert found["mapping", "", "cores"]["new"] == 8
    assert found["mapping", "", "cores"]["percent"] == pytest.approx(100 / 7)
    assert found["layers", "second", "cores"]["difference"] == 1
    assert {subject for section, subject, _ in found if section == "layers"} == {"second"}


def test_signs_are_those_of_the_direction(artifact, written, changed):
    """Swapping A and B swaps the values and turns every sign."""
    folder = changed(make_artifact(network=make_network(channels=16), timesteps=6))
    there, back = differences(written, folder), differences(folder, written)
    assert set(there) == set(back)
    for fact, one in there.items():
        other = back[fact]
        assert (one["old"], one["new"]) == (other["new"], other["old"])
        if one["difference"] is not None:
            assert one["difference"] == -other["difference"] != 0
    assert there["layers", "second", "neurons"]["difference"] == 8 * 16 * 16
    shown = compare(written, folder).stdout
    assert "+2,048 (+100.0%)" in shown
    assert "-2,048 (-50.0%)" in compare(folder, written).stdout


def test_shapes_and_energy_of_another_network(artifact, written, changed):
    wide = make_artifact(network=make_network(channels=16))
    folder = changed(wide)
    preset = energy_presets()["int8"]
    found = differences(written, folder, "--preset", "int8")
    assert found["network", "second", "shape"]["old"] == "8x16x16"
    assert found["network", "second", "shape"]["new"] == "16x16x16"
    assert ("network", "first", "shape") not in found
    assert ("network", "projection conv", "weights_sha256") in found
    reports = [EnergyReport(one.counts, preset) for one in (artifact, wide)]
    total = found["mapping", "", "energy_pj"]
    assert [total["old"], total["new"]] == [report.total.energy_pj for report in reports]
    third = found["layers", "third", "energy_pj"]
    assert [third["old"], third["new"]] == [
        next(row.energy_pj for row in report.layers if row.name == "third") for report in reports
    ]
    assert differences(written, folder)["mapping", "", "energy_pj"]["old"] != total["old"]


def test_a_population_that_only_one_has(artifact, written, changed):
    """The output under another name: one population less and one more, and its projection leads elsewhere."""
    network = artifact.network
    *others, output = network.populations
    conv, dense = network.projections
    graph = build_graph([*others, replace(output, name="fourth")], [conv, replace(dense, target="fourth")])
    folder = changed(make_artifact(network=replace(network, graph=graph)))
    found = differences(written, folder)
    assert (found["network", "third", "shape"]["old"], found["network", "third", "shape"]["new"]) == ("10x1x1", None)
    assert (found["network", "fourth", "shape"]["old"], found["network", "fourth", "shape"]["new"]) == (None, "10x1x1")
    assert found["network", "projection dense", "target"]["new"] == "fourth"
    for output_format in ("table", "md"):
        lines = compare(written, folder, "--format", output_format).stdout.splitlines()
        (gone,) = [line for line in lines if "third shape" in line]
        (come,) = [line for line in lines if "fourth shape" in line]
        assert "only in A" in gone
        assert "only in B" in come


def test_weights_trained_anew(artifact, written, changed):
    network = artifact.network
    conv, dense = network.projections
    graph = build_graph(network.populations, [replace(conv, weights=np.roll(conv.weights, 1, axis=0)), dense])
    found = differences(written, changed(make_artifact(network=replace(network, graph=graph))))
    assert {fact for fact in found if fact[0] == "network"} == {("network", "projection conv", "weights_sha256")}


def test_another_target(written, changed):
    """Both are legal; what only one of the chips limits has a value for that one alone."""
    network = replace(make_network(), bias_mantissa_max=2**23 - 1, bias_exponent_max=0, threshold_exponent=0)
    found = differences(written, changed(make_artifact("loihi2", network)))
    assert found["options", "", "target"]["new"] == "loihi2"
    assert ("provenance", "", "profile_sha256") in found
    assert not [fact for fact in found if fact[0] == "violations"]
    only_old = {name for (_, _, name), one in found.items() if one["new"] is None}
    only_new = {name for (_, _, name), one in found.items() if one["old"] is None}
    assert only_old == {"utilisation.compartment_configurations", "utilisation.threshold_configurations"}
    assert only_new == {"utilisation.memory_bytes"}


def test_an_illegal_mapping(artifact, written, changed):
    """Two cores at one address: its rules are counted, it is not measured, and the command does not fail."""
    cores = layout(artifact)
    cores[1] = (cores[1][0], cores[0][1])
    illegal = placed_anew(artifact, cores)
    folder = changed(illegal)
    rules = {violation.rule for violation in verify(illegal.network, illegal.placement, illegal.profile)}
    found = differences(written, folder)
    assert {name for section, _, name in found if section == "violations"} == {"legal", *rules}
    assert found["violations", "", "legal"]["new"] is False
    assert found["mapping", "", "hops"]["new"] is None
    assert "B breaks a rule of its chip and is not measured" in " ".join(compare(written, folder).stdout.split())
    assert "A breaks a rule" in compare(folder, written, "--format", "md").stdout


def test_notes_of_the_conversion(artifact, written, changed):
    entry = {"layer": "relu", "how": "integrate-and-fire population", "exact": True, "replaced_by": ["first"]}
    folder = changed(replace(artifact, audit={"entries": [entry], "notes": ["no calibration data"]}))
    found = differences(written, folder)
    assert {fact for fact in found if fact[0] == "conversion"} == {
        ("conversion", "relu", "replaced_by"),
        ("conversion", "", "note: no calibration data"),
    }


@pytest.mark.parametrize("output_format", ["table", "md"])
def test_all_differences_are_printed(written, changed, output_format):
    folder = changed(make_artifact("spinnaker", network=make_network(channels=16), timesteps=6), calibration="noise")
    shown = compare(written, folder, "--format", output_format).stdout.replace("\\", "")
    for _, subject, name in differences(written, folder):
        assert f" {subject} {name} ".replace("  ", " ") in shown


def test_a_file_of_the_artifact_will_do(written, changed):
    assert differences(written / "placement.json", changed() / "manifest.json") == {}


@pytest.mark.parametrize("output_format", FORMATS)
def test_unreadable_artifacts(written, changed, tmp_path, output_format):
    form = ("--format", output_format)
    refused(nmdeploy_here("compare", written, tmp_path / "none.nmd", *form), "none.nmd", "no nmdeploy artifact")
    refused(nmdeploy_here("compare", tmp_path / "none.nmd", written, *form), "none.nmd", "no nmdeploy artifact")
    folder = changed()
    (folder / "network.h5").write_bytes(b"")
    refused(nmdeploy_here("compare", written, folder, *form), "network.h5", "differs from what compile wrote")


def test_wrong_options(written):
    refused(nmdeploy_here("compare", written), "Missing argument 'B'")
    refused(nmdeploy_here("compare", written, written, "--preset", "int3"), "unknown preset", "int8")
    refused(nmdeploy_here("compare", written, written, "--format", "xml"), "xml")
