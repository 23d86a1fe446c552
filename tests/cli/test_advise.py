"""`advise`: tables, JSON keys, exit codes, and options that are refused."""

import pytest
import torch
from command_line import nmdeploy_here, refused
from torch import nn

import nmdeploy as package

KEYS = {
    "target", "unit", "fits", "cores", "cores_bound", "chips", "parameters", "macs", "violations", "layers", "wanted",
    "proposals", "without_proposal", "left_out", "notes", "seconds",
}  # fmt: skip
LAYER_KEYS = {
    "name", "weights_of", "on_host", "neurons", "cores", "share", "binds", "uses", "exact", "parts", "inputs_of_sum",
    "inputs_of_core", "copies", "relays", "violations",
}  # fmt: skip
PROPOSAL_KEYS = {
    "layer", "goal", "reached", "changes", "weight_bits", "split_fan_in", "needs_training", "parameters", "macs",
    "fits", "layer_cores", "cores", "chips", "refused", "in_parts", "violations",
}  # fmt: skip


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A layer of 512 x 9 inputs, which no core of Loihi has axons for."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(1, 512, 3, padding=1), nn.ReLU(), nn.Conv2d(512, 8, 3, padding=1), nn.ReLU())
    module.append(nn.Conv2d(8, 2, 1))
    path = tmp_path_factory.mktemp("wide") / "wide.pt"
    package.save(module.eval(), torch.zeros(1, 1, 4, 4), path)
    return path


@pytest.fixture(scope="module")
def crossbars(digits_model):
    return nmdeploy_here("advise", digits_model, "--target", "truenorth", "--json")


def test_json_has_these_keys(crossbars):
    assert crossbars.code == 0, crossbars.stderr
    found = crossbars.json
    assert set(found) == KEYS
    assert all(set(layer) == LAYER_KEYS for layer in found["layers"])
    assert all(set(proposal) == PROPOSAL_KEYS for proposal in found["proposals"])
    assert found["fits"] is True
    assert found["violations"] == []
    assert [layer["name"] for layer in found["layers"]] == ["stem", "add", "conv2", "classifier"]
    add = found["layers"][1]
    assert (add["weights_of"], add["exact"], add["binds"]) == (["conv1"], False, "axons")
    assert add["inputs_of_sum"] > add["inputs_of_core"] == 256
    assert {one["layer"] for one in found["wanted"]} == {"add", "conv2", "classifier"}
    assert all(one["reached"] for one in found["proposals"] if one["layer"])


def test_tables_name_layers_what_binds_and_the_changes(digits_model):
    ended = nmdeploy_here("advise", digits_model, "--target", "truenorth", "--time-limit", "0")
    assert ended.code == 0, ended.stderr
    assert "truenorth (IBM TrueNorth)" in ended.stdout
    assert "of the sample" in ended.stdout
    assert "parts:" in ended.stdout
    assert "Left out after 0 s (--time-limit)" in ended.stdout
    ended = nmdeploy_here("advise", digits_model, "--target", "loihi")
    assert "stem: stride 1 -> 2" in ended.stdout
    assert "compartments" in ended.stdout
    assert "nothing has to change" in ended.stdout
    assert "train it again" in ended.stdout


def test_cores_are_those_of_compile(digits_model, tmp_path):
    for target in ("loihi", "spinnaker2", "truenorth"):
        options = (digits_model, "--target", target, "-T", "16", "--json")
        compiled = nmdeploy_here("compile", *options, "-o", tmp_path / target)
        advised = nmdeploy_here("advise", *options, "--time-limit", "0")
        for key in ("cores", "cores_bound", "chips"):
            assert advised.json[key] == compiled.json[key], target
        cores = {layer["name"]: layer["cores"] for layer in compiled.json["layers"]}
        if target == "truenorth":  # where compile lists partial sums by themselves
            continue
        assert {layer["name"]: layer["cores"] for layer in advised.json["layers"]} == cores


def test_fan_in_is_refused_with_the_ways_out(wide):
    ended = nmdeploy_here("advise", wide, "--target", "loihi", "--json")
    assert ended.code == 1
    found = ended.json
    assert (found["fits"], found["cores"]) == (False, None)
    (violation,) = found["violations"]
    assert (violation["rule"], violation["demand"], violation["capacity"]) == ("NMD202", 4609, 4096)
    assert found["layers"][1]["violations"] == [violation]
    ways = {
        (one["kind"], one["layer"], one["after"]): proposal
        for proposal in found["proposals"]
        for one in proposal["changes"]
    }
    # 4,096 axons less the reset's are 455 x 9
    assert {("groups", "2", 2), ("channels", "0", 455)} <= set(ways)
    assert all(one["fits"] and one["reached"] and one["layer_cores"] >= 1 for one in ways.values())
    (split,) = [one for one in found["proposals"] if one["split_fan_in"]]
    assert split["fits"]
    assert not split["needs_training"]
    assert split["in_parts"] == ["2"]
    shown = nmdeploy_here("advise", wide, "--target", "loihi")
    assert shown.code == 1
    assert "NMD202 population 2: fits no core" in shown.stdout
    assert "2: groups 1 -> 2" in shown.stdout
    assert "--split-fan-in" in shown.stdout


def test_split_fan_in_fits_and_is_advised_to_be_exact(wide):
    ended = nmdeploy_here("advise", wide, "--target", "loihi", "--split-fan-in", "--json")
    assert ended.code == 0, ended.stderr
    assert ended.json["layers"][1]["parts"] == 2
    assert ended.json["wanted"] == [{"layer": "2", "goal": "exact"}]
    assert {one["goal"] for one in ended.json["proposals"] if one["layer"]} == {"exact"}


def test_nothing_to_gain_is_said(digits_model):
    ended = nmdeploy_here("advise", digits_model, "--target", "loihi2")
    assert ended.code == 0
    assert "no smaller change gains anything" in ended.stdout


def test_progress_and_errors_are_not_on_stdout(digits_model, tmp_path):
    refused(nmdeploy_here("advise", digits_model, "--target", "none"), "none")
    refused(nmdeploy_here("advise", tmp_path / "none.pt"), "none.pt")
    refused(nmdeploy_here("advise", digits_model, "--target", "speck"), "sums 2 projections")
    refused(nmdeploy_here("advise", digits_model, "--weight-bits", "7"), "no weights of 7 bits")
    refused(nmdeploy_here("advise", digits_model, "--target", "rolls", "--weight-bits", "4"), "--weight-bits 4")
    refused(nmdeploy_here("advise", digits_model, "--target", "truenorth", "--split-fan-in"), "always sums in parts")
    refused(nmdeploy_here("advise", digits_model, "--target", "rolls", "--split-fan-in"), "rolls cannot")
    refused(nmdeploy_here("advise", digits_model, "--layers", "0"), "--layers")
    refused(nmdeploy_here("advise", digits_model, "--input-shape", "1,x"), "--input-shape 1,x")
