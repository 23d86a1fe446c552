"""`compile` for chips that it maps to and no more: layers as torch has them, what lies where, and nothing written."""

import pytest
import torch
from command_line import nmdeploy_here, refused
from torch import nn

import nmdeploy as package
from hw_profiles import load_target
from mapping.layer_cores import ConvolutionLayer
from mapping.verify_layers import verify_layers
from nmdeploy.analog_mapping import analog_populations
from nmdeploy.frontend.load import load_model


def save(folder, module, shape):
    package.save(module.eval(), torch.zeros(1, *shape), folder / "model.pt")
    return folder / "model.pt"


def mapped(folder, module, shape):
    ended = nmdeploy_here("compile", save(folder, module, shape), "--target", "speck", "--json", cwd=folder)
    assert ended.code == 0, ended.stderr
    return ended.json


def convolution(found):
    """What torch calls the layer: input, kernel, stride, padding, and the pooling before it."""
    keys = ("input_shape", "channels", "kernel", "stride", "padding", "has_bias", "source_pooling")
    return tuple(tuple(found[key]) if isinstance(found[key], list) else found[key] for key in keys)


@pytest.fixture
def chain():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 8, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Conv2d(8, 16, 5, bias=False),
        nn.ReLU(),
        nn.AvgPool2d(4),
        nn.Conv2d(16, 8, 1, groups=4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(8 * 3 * 3, 10),
    )


def test_layers_are_those_of_the_network(tmp_path, chain):
    summary = mapped(tmp_path, chain, (2, 64, 64))
    assert summary["mapping_only"] is True
    assert [convolution(layer) for layer in summary["layers"]] == [
        ((2, 64, 64), 8, (3, 3), (2, 2), (1, 1), True, 1),
        ((8, 16, 16), 16, (5, 5), (1, 1), (0, 0), False, 2),
        ((16, 3, 3), 8, (1, 1), (1, 1), (0, 0), True, 4),
        ((8, 3, 3), 10, (3, 3), (1, 1), (0, 0), True, 1),
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]


def test_mapping_is_legal(tmp_path, chain):
    found = mapped(tmp_path, chain, (2, 64, 64))["layers"]
    fields = ConvolutionLayer.__dataclass_fields__
    layers = [
        ConvolutionLayer(**{key: tuple(layer[key]) if isinstance(layer[key], list) else layer[key] for key in fields})
        for layer in found
    ]
    assert verify_layers(layers, {layer["name"]: layer["core"] for layer in found}, load_target("speck")) == []
    assert len({layer["core"] for layer in found}) == len(layers)


def test_table_says_that_this_is_mapping_only(tmp_path, chain):
    ended = nmdeploy_here("compile", save(tmp_path, chain, (2, 64, 64)), "--target", "speck", cwd=tmp_path)
    assert ended.code == 0
    assert "8 to 16, 5 x 5 of sums over 2 x 2" in ended.stdout
    assert "mapping only: nothing is quantised" in ended.stdout
    refused(
        nmdeploy_here("compile", "model.pt", "--target", "speck", "-o", "out.nmd", cwd=tmp_path),
        "-o out.nmd",
        "no artifact",
    )


def test_layer_that_fits_no_core_is_exit_1(tmp_path):
    module = nn.Sequential(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(32 * 64 * 64, 2))
    ended = nmdeploy_here("compile", save(tmp_path, module, (16, 64, 64)), "--target", "speck", cwd=tmp_path)
    assert ended.code == 1
    assert "NMD609" in ended.stderr
    assert "(64 > 16)" in ended.stderr
    module = nn.Sequential(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.AvgPool2d(4), nn.Conv2d(32, 2, 3), nn.ReLU())
    ended = nmdeploy_here("compile", save(tmp_path, module, (16, 64, 64)), "--target", "speck", cwd=tmp_path)
    assert ended.code == 1
    assert "NMD605 layer 0: fits no core: neuron entries (131,072 > 65,536)" in ended.stderr


def test_shortcut_is_refused_by_name(digits_model, tmp_path):
    ended = nmdeploy_here("compile", digits_model, "--target", "speck", cwd=tmp_path)
    refused(ended, "sums 2 projections", "one kernel")


def test_pooling_of_a_part_of_the_map_is_no_pooling_of_cores(tmp_path):
    """Windows that do not begin where those of the core do."""

    class Sliced(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 2, 1)

        def forward(self, x):
            x = torch.relu(self.first(x))[:, :, 1:, 1:]
            return torch.relu(self.second(nn.functional.avg_pool2d(x, 2)))

    path = save(tmp_path, Sliced(), (1, 9, 9))
    refused(nmdeploy_here("compile", path, "--target", "speck", cwd=tmp_path), "slicing, upsampling or uneven padding")


def analog(folder, module, shape, *options):
    return nmdeploy_here("compile", save(folder, module, shape), "--target", "rolls", *options, cwd=folder)


def test_analog_chip_numbers_the_neurons(tmp_path):
    """A convolution of 2 to 3 channels on 6 x 6 reads 2 x 9 sources, at the border fewer; the dense layer all 108."""
    module = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(108, 10))
    ended = analog(tmp_path, module, (2, 6, 6), "--json")
    assert ended.code == 0, ended.stderr
    found = [(item["neurons"], item["synapses_per_neuron"], item["circuits"]) for item in ended.json["populations"]]
    assert found == [(108, 18, [0, 108]), (10, 108, [108, 118])]
    shown = analog(tmp_path, module, (2, 6, 6))
    assert "108 to 117 of 256" in shown.stdout
    assert "18 of 512" in shown.stdout
    assert "mapping only: nothing is quantised" in shown.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]
    refused(analog(tmp_path, module, (2, 6, 6), "-o", "out.nmd"), "no artifact for target rolls")


def test_projections_add_up_their_synapses(digits_model, tmp_path):
    """Behind the shortcut a neuron reads 3 x 3 neurons of 16 channels by weights, and one past them."""
    ended = nmdeploy_here("compile", digits_model, "--target", "rolls", cwd=tmp_path)
    assert ended.code == 1
    assert "neuron circuits (2,570 > 256)" in ended.stderr
    populations = {item.name: item for item in analog_populations(load_model(digits_model).layers)}
    assert sorted(item.synapses_per_neuron for item in populations.values()) == [9, 144, 145, 128 * 4]


def test_network_too_large_for_the_analog_chip(tmp_path):
    module = nn.Sequential(nn.Linear(513, 250), nn.ReLU(), nn.Linear(250, 7))
    ended = analog(tmp_path, module, (513,))
    assert ended.code == 1
    assert "NMD701 network: neuron circuits (257 > 256)" in ended.stderr
    assert "(513 > 512)" in ended.stderr
    module = nn.Sequential(nn.Linear(512, 249), nn.ReLU(), nn.Linear(249, 7))
    assert analog(tmp_path, module, (512,)).code == 0
