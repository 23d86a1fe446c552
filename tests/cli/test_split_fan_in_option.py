"""A network whose neurons have more inputs than a core has input axons: refused, or summed in parts when asked for."""

import json

import pytest
from command_line import nmdeploy_here

from hw_profiles import profile_text


@pytest.fixture(scope="module")
def narrow_chip(tmp_path_factory):
    """Path of a chip like this one, with 80 input axons a core."""

    def of(name):
        text = profile_text(name)
        narrow = text.replace(f'name = "{name}"', 'name = "narrow"').replace(
            "[core_limits.input_axons]\nvalue = 4096", "[core_limits.input_axons]\nvalue = 80"
        )
        assert narrow.count("value = 80\n") == text.count("value = 80\n") + 1
        path = tmp_path_factory.mktemp(name) / "narrow.toml"
        path.write_text(narrow, encoding="utf-8")
        return path

    return of


def test_refusal_names_every_wide_population_and_the_way_out(tmp_path, digits_model, narrow_chip):
    ended = nmdeploy_here("compile", digits_model, "--target", narrow_chip("loihi"), "-T", "8", "-o", tmp_path / "a")
    assert (ended.code, ended.stdout) == (1, "")
    assert ended.stderr.count("--split-fan-in") == 3
    # 9 of each of 16 channels, the shortcut and the reset; the readout of 32 channels of 4 x 4 does not spike
    for population, demand in (("add", 146), ("conv2", 145), ("classifier", 512)):
        assert f"NMD202 population {population}: " in ended.stderr
        assert f"({demand} > 80)" in ended.stderr
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("loihi", {"add.part2.positive", "add.part2.negative", "conv2.part2.positive", "conv2.part2.negative"}),
        ("loihi2", {"add.part2", "conv2.part2"}),
    ],
)
def test_split_network_is_legal_and_as_accurate(tmp_path, digits_model, digits_data, narrow_chip, name, parts):
    folder = tmp_path / "digits.nmd"
    options = ("-T", "32", "--split-fan-in", "-o", folder, "--json")
    ended = nmdeploy_here("compile", digits_model, "--target", narrow_chip(name), *options)
    assert ended.code == 0, ended.stderr
    assert any("conv2: its neurons have 144 inputs" in note and "2 parts" in note for note in ended.json["notes"])
    assert parts <= {layer["name"] for layer in ended.json["layers"]}
    assert json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["options"]["split_fan_in"] is True
    checked = nmdeploy_here("check", folder, "--format", "json")
    assert checked.json["violations"] == []
    run = nmdeploy_here("run", folder, "--data", digits_data, "--json")
    assert run.json["agreement"] >= 0.99
    assert run.json["accuracy"] >= run.json["float_accuracy"] - 0.01


def test_flag_changes_nothing_where_all_fits(tmp_path, digits_model, compiled):
    _, folder = compiled
    options = ("-T", "16", "--split-fan-in", "-o", tmp_path / "same.nmd")
    assert nmdeploy_here("compile", digits_model, "--target", "loihi", *options).code == 0
    assert (tmp_path / "same.nmd" / "network.h5").read_bytes() == (folder / "network.h5").read_bytes()
