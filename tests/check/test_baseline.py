"""Comparison with a baseline: what counts as worse, what it points at, and what is no baseline."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from command_line import nmdeploy_here, refused
from hypothesis import example, given
from hypothesis import strategies as st
from mapped import FAR, index_of, make_artifact, make_network, moved_apart, split_in_two

from mapping.network import build_graph
from nmdeploy.artifact.artifact import write_artifact
from nmdeploy.check.baseline import Change, read_tolerance


def check(folder, baseline, *tolerances, output_format="json"):
    options = [f"--tolerance={tolerance}" for tolerance in tolerances]
    return nmdeploy_here("check", folder, "--baseline", baseline, "--format", output_format, *options)


def changes(ended):
    return {change["measure"]: change for change in ended.json["baseline"]["changes"]}


@pytest.fixture(scope="module")
def moved(artifact, tmp_path_factory):
    """The output's core in the far corner."""
    folder = tmp_path_factory.mktemp("moved") / "small.nmd"
    write_artifact(folder, moved_apart(artifact, index_of(artifact, "third")))
    return folder


@pytest.fixture(scope="module")
def split(artifact, tmp_path_factory):
    """A tile of the second population on two cores."""
    folder = tmp_path_factory.mktemp("split") / "small.nmd"
    write_artifact(folder, split_in_two(artifact, index_of(artifact, "second")))
    return folder


def test_the_same_mapping_is_not_worse(written):
    ended = check(written, written)
    assert ended.code == 0
    assert all(change["old"] == change["new"] and change["percent"] == 0 for change in changes(ended).values())
    assert "no measure has changed" in check(written, written, output_format="text").stdout


def test_cores_moved_apart(written, moved):
    """Hops alone are worse, and the annotation is at the core that was moved."""
    ended = check(moved, written, "5%")
    assert ended.code == 1
    worse = {name: change for name, change in changes(ended).items() if change["worse"]}
    assert set(worse) == {"hops", "total_hops"}
    line = next(
        number
        for number, text in enumerate((moved / "placement.json").read_text().splitlines(), start=1)
        if text.startswith('{"address":[0,7,3,3]')
    )
    for change in worse.values():
        assert (change["where"], change["line"]) == (f"core {FAR}", line)
        assert change["percent"] == pytest.approx(100 * (change["new"] / change["old"] - 1))
    github = check(moved, written, "5%", output_format="github").stdout
    assert f"line={line},title=NMD902::core {FAR}: hops " in github
    assert "tolerance 5%" in github


def test_a_tile_split_in_two(written, split):
    """One core more; its neurons' sources now send twice, and that half of the tile is what is new."""
    ended = check(split, written, "5%")
    found = changes(ended)
    assert ended.code == 1
    assert (found["cores"]["old"], found["cores"]["new"], found["cores"]["worse"]) == (7, 8, True)
    assert found["cores"]["percent"] == pytest.approx(100 / 7)
    assert found["cores"]["line"] == 4  # the core whose tile was halved
    assert found["total_hops"]["worse"]
    assert not found["chips"]["worse"]
    assert check(split, written, "1000%").code == 0


def test_better_is_not_worse(written, moved, split):
    for folder in (moved, split):
        ended = check(written, folder)
        assert not changes(ended)["total_hops"]["worse"]
        assert changes(ended)["total_hops"]["new"] < changes(ended)["total_hops"]["old"]
    assert check(written, moved).code == 0


def test_tolerance_of_one_measure(written, split):
    growth = {name: change["percent"] for name, change in changes(check(split, written)).items() if change["worse"]}
    assert set(growth) == {"cores", "hops", "total_hops", "utilisation.output_axon_entries"}
    assert check(split, written, *(f"{name}=1000%" for name in growth)).code == 0
    for kept in growth:
        ended = check(split, written, *(f"{name}=1000%" for name in growth if name != kept))
        assert ended.code == 1
        assert {name for name, change in changes(ended).items() if change["worse"]} == {kept}
    others = [f"{name}=1000%" for name in growth if "." not in name]
    assert check(split, written, *others, "utilisation=1000%").code == 0


def test_all_formats_say_what_changed(written, split):
    for output_format in ("text", "github", "sarif", "junit", "markdown"):
        ended = check(split, written, "5%", output_format=output_format)
        assert ended.code == 1
        assert "cores 7 -" in ended.stdout
        assert "+14.3%" in ended.stdout
        assert "NMD902" in ended.stdout


@given(st.integers(1, 10_000), st.integers(0, 100))
@example(100, 15)  # 100 * 1.15 is below 115 in floating point
def test_growth_up_to_the_tolerance_is_accepted_exactly(old, percent):
    """Whole numbers whose growth is just the tolerance pass, one more does not: no rounding decides."""
    tolerance = read_tolerance([f"{percent}%"])
    assert tolerance.of("cores") == Fraction(percent, 100)
    largest = old + old * percent // 100
    assert not Change("cores", float(old), float(largest), tolerance.of("cores"), "network").worse
    assert Change("cores", float(old), float(largest + 1), tolerance.of("cores"), "network").worse


def test_growth_from_nothing():
    assert Change("hops", 0.0, 0.1, Fraction(10), "network").worse
    assert Change("hops", 0.0, 0.1, Fraction(10), "network").share is None
    assert not Change("hops", 0.0, 0.0, Fraction(0), "network").worse


@pytest.mark.parametrize(
    ("tolerance", "words"),
    [
        ("5", ["5%", "0.05"]),
        ("much", ["much"]),
        ("-5%", ["at least 0"]),
        ("nan%", ["nan"]),
        ("%", ["no number"]),
        ("hop=5%", ["hop", "did you mean hops"]),
        ("hops=", ["no number"]),
        ("=5%", ["unknown measure"]),
    ],
)
def test_malformed_tolerances_are_refused(written, tolerance, words):
    refused(check(written, written, tolerance), "--tolerance", *words)


def test_tolerance_without_a_baseline(written):
    refused(nmdeploy_here("check", written, "--tolerance", "5%"), "--baseline")


def test_missing_or_damaged_baseline(written, tmp_path):
    refused(check(written, tmp_path / "none.nmd"), "none.nmd", "no nmdeploy artifact")
    write_artifact(tmp_path / "cut.nmd", make_artifact())
    (tmp_path / "cut.nmd" / "network.h5").write_bytes(b"")
    refused(check(written, tmp_path / "cut.nmd"), "cut.nmd", "network.h5", "differs from what compile wrote")
    (tmp_path / "cut.nmd" / "manifest.json").write_text("{")
    refused(check(written, tmp_path / "cut.nmd"), "manifest.json", "not valid JSON")


def test_baseline_of_another_network(written, tmp_path):
    write_artifact(tmp_path / "wide.nmd", make_artifact(network=make_network(channels=16)))
    refused(check(written, tmp_path / "wide.nmd"), "another network", "population second of shape")


def test_baseline_of_another_target(written, tmp_path):
    """The same network, as it was compiled for a chip of another name."""
    write_artifact(tmp_path / "spinnaker.nmd", make_artifact("spinnaker"))
    refused(check(written, tmp_path / "spinnaker.nmd"), "another target", "spinnaker, not loihi")


def test_weights_trained_anew_are_no_other_network(artifact, written, tmp_path):
    network = artifact.network
    populations, (first, *others) = network.populations, network.projections
    changed = replace(first, weights=np.roll(first.weights, 1, axis=0))
    trained = replace(network, graph=build_graph(populations, [changed, *others]))
    write_artifact(tmp_path / "trained.nmd", make_artifact(network=trained))
    assert check(tmp_path / "trained.nmd", written).code == 0


def test_what_else_differs_is_remarked(artifact, written, tmp_path):
    """Counts over a longer window, and a chip of the same name with other limits."""
    longer = make_artifact(timesteps=6)
    text = longer.profile_text.replace("value = 4096", "value = 4000")
    other = replace(longer, profile_text=text, manifest=longer.manifest.model_copy(update={"calibration": "noise"}))
    write_artifact(tmp_path / "longer.nmd", other)
    ended = check(tmp_path / "longer.nmd", written)
    remarks = " ".join(ended.json["baseline"]["remarks"])
    for words in ("time steps: 4, now 6", "ones, now noise", "profile of loihi has changed"):
        assert words in remarks
        assert words in check(tmp_path / "longer.nmd", written, output_format="text").stdout
