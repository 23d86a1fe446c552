"""What is saved is what is loaded, and a damaged file is an error of its own kind and nothing else."""

import copy
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_comparison import assert_same_model
from torch import nn
from traced_networks import NETWORKS, ResNet, TinyYolo, sample, settled

import nmdeploy
from nmdeploy.errors import ModelFileError, NmdeployError
from nmdeploy.frontend.graph_format import _DECODERS, _OPERATORS, encode_graph
from nmdeploy.frontend.load import load_model
from nmdeploy.frontend.model_file import read_model_file
from nmdeploy.frontend.trace import trace
from nmdeploy.model import Model
from nmdeploy.preprocessing import Preprocessing


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.pt"
    nmdeploy.save(settled(TinyYolo()), sample(3, 8, 8), path, scale=255, mean=[0.1, 0.2, 0.3], std=0.5)
    return path


@pytest.fixture
def contents(saved):
    return torch.load(saved, weights_only=True)


@pytest.mark.parametrize("name", NETWORKS)
def test_round_trip(name, tmp_path):
    build, shape = NETWORKS[name]
    module = settled(build())
    nmdeploy.save(module, sample(*shape), tmp_path / "model.pt")
    layout = {1: "NF", 2: "NCL", 3: "NCHW"}[len(shape)]
    expected = Model(trace(module, sample(*shape)), Preprocessing(layout=layout))
    assert_same_model(load_model(tmp_path / "model.pt"), expected)


def test_round_trip_of_everything_known_about_the_data(tmp_path):
    samples = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3), dtype=np.uint8)
    options = {"scale": 255, "mean": (0.5, 0.25, 0.125), "std": [1, 2, 4], "layout": "NHWC"}
    classes = [f"class {number}" for number in range(10)]
    nmdeploy.save(settled(ResNet()), sample(3, 16, 16), tmp_path / "m", calibration=samples, classes=classes, **options)
    model = load_model(tmp_path / "m")
    assert model.preprocessing == Preprocessing(255.0, (0.5, 0.25, 0.125), (1.0, 2.0, 4.0), "NHWC")
    assert model.classes == tuple(classes)
    assert model.calibration.dtype == np.uint8
    np.testing.assert_array_equal(model.calibration, samples)


@pytest.mark.parametrize("samples", [torch.rand(2, 3, 16, 16, dtype=torch.float64), np.ones((2, 3, 16, 16), np.uint16)])
def test_calibration_of_other_types_becomes_float32(samples, tmp_path):
    nmdeploy.save(settled(ResNet()), sample(3, 16, 16), tmp_path / "m", calibration=samples)
    calibration = load_model(tmp_path / "m").calibration
    assert calibration.dtype == np.float32
    np.testing.assert_allclose(calibration, np.asarray(samples), rtol=1e-6)


_LAYERS = st.sampled_from(
    [
        lambda c: nn.Conv2d(c, c, 3, padding="same"),
        lambda c: nn.Conv2d(c, c, 3, padding=1, groups=c, bias=False),
        lambda c: nn.BatchNorm2d(c),
        lambda c: nn.ReLU(inplace=True),
        lambda c: nn.ReLU6(),
        lambda c: nn.LeakyReLU(0.1),
        lambda c: nn.PReLU(c),
        lambda c: nn.MaxPool2d(3, 1, 1),
        lambda c: nn.AvgPool2d(3, 1, 1, count_include_pad=False),
        lambda c: nn.Upsample(scale_factor=2),
        lambda c: nn.AdaptiveAvgPool2d((2, 3)),
        lambda c: nn.ZeroPad2d((1, 0, 2, -1)),
        lambda c: nn.Dropout(),
        lambda c: nn.Identity(),
    ]
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(layers=st.lists(_LAYERS, min_size=1, max_size=5), channels=st.integers(1, 4))
def test_round_trip_of_random_networks(layers, channels, tmp_path):
    module = settled(nn.Sequential(*(make(channels) for make in layers)))
    example = torch.zeros(1, channels, 5, 4)
    nmdeploy.save(module, example, tmp_path / "model.pt")
    assert_same_model(load_model(tmp_path / "model.pt"), Model(trace(module, example), Preprocessing()))


def test_every_operator_can_be_written():
    from dataclasses import fields

    assert len(_OPERATORS) == 19
    for kind in _OPERATORS.values():
        assert {str(field.type) for field in fields(kind)} <= set(_DECODERS)


def test_same_network_gives_the_same_bytes(tmp_path):
    for name in ("one.pt", "other name.pt"):
        nmdeploy.save(settled(ResNet()), sample(3, 16, 16), tmp_path / name)
    assert (tmp_path / "one.pt").read_bytes() == (tmp_path / "other name.pt").read_bytes()


def test_a_failed_save_leaves_the_old_file_and_nothing_else(saved, monkeypatch):
    before = saved.read_bytes()

    def crash(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(ModelFileError, match="No space left"):
        nmdeploy.save(settled(ResNet()), sample(3, 16, 16), saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ModelFileError, match="cannot write"):
        nmdeploy.save(settled(ResNet()), sample(3, 16, 16), tmp_path / "none" / "m.pt")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"mean": [1, 2]}, "mean has 2 values"),
        ({"std": [1, 0, 1]}, "must not be zero"),
        ({"scale": 0}, "must not be zero"),
        ({"scale": float("nan")}, "finite"),
        ({"layout": "HWC"}, "layout 'HWC' is unknown"),
        ({"classes": ["a", "b"]}, "2 class names for 10 outputs"),
        ({"calibration": np.zeros((2, 16, 16, 3))}, "calibration: samples of layout NCHW"),
        ({"calibration": np.zeros((0, 3, 16, 16))}, "no calibration samples"),
        ({"calibration": np.full((1, 3, 16, 16), np.nan)}, "NaN"),
        ({"calibration": np.array(["a"])}, "not numbers"),
    ],
)
def test_wrong_options(options, text, tmp_path):
    with pytest.raises(NmdeployError, match=text):
        nmdeploy.save(settled(ResNet()), sample(3, 16, 16), tmp_path / "m.pt", **options)
    assert not (tmp_path / "m.pt").exists()


def test_importing_nmdeploy_does_not_import_torch():
    code = "import sys, nmdeploy; assert 'torch' not in sys.modules; nmdeploy.save; assert 'torch' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    with pytest.raises(AttributeError, match="no attribute 'sav'"):
        _ = nmdeploy.sav


def test_a_newer_version_says_update(contents):
    with pytest.raises(ModelFileError, match=r"version 2, .* Update nmdeploy"):
        read_model_file({**contents, "version": 2})


def _set(*path):
    *parents, last, value = path

    def change(contents):
        for key in parents:
            contents = contents[key]
        contents[last] = value

    return change


def _drop(*path):
    *parents, last = path

    def change(contents):
        for key in parents:
            contents = contents[key]
        del contents[last]

    return change


CONVOLUTION = ("graph", "layers", 1)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (_set("format", "other"), "not a model file"),
        (_set("version", "1"), "'version' of the file is a str"),
        (_set("version", 0), "version 0"),
        (_drop("graph"), "no 'graph'"),
        (_drop("classes"), "no 'classes'"),
        (_set("classes", [1]), "classes are not all names"),
        (_set("classes", None), "'classes'"),
        (_set("calibration", [1]), "'calibration'"),
        (_set("calibration", torch.zeros(2, 2)), "calibration: samples have 2 axes"),
        (_set("calibration", torch.zeros(2).to_sparse()), "plain array"),
        (_drop("preprocessing", "std"), "no 'std'"),
        (_set("preprocessing", "std", [0.0]), "must not be zero"),
        (_set("preprocessing", "mean", ["a"]), "not all numbers"),
        (_set("preprocessing", "mean", [1.0, 2.0]), "mean has 2 values"),
        (_set("preprocessing", "layout", "N"), "layout 'N' is unknown"),
        (_drop("graph", "layers"), "no 'layers'"),
        (_set("graph", "layers", []), "0 inputs"),
        (_set("graph", "layers", [3]), "layer 0 has no 'name'"),
        (_set("graph", "outputs", []), "no output"),
        (_set("graph", "outputs", ["gone"]), "gone: is an output but no layer"),
        (_set("graph", "outputs", [[]]), "not all names"),
        (_drop(*CONVOLUTION, "operator"), "no 'operator'"),
        (_set(*CONVOLUTION, "operator", "Attention"), "unknown operator 'Attention'.*Update"),
        (_set(*CONVOLUTION, "name", "input"), "several layers are named input"),
        (_set(*CONVOLUTION, "inputs", ["gone"]), "gone: is used but is no layer"),
        (_set(*CONVOLUTION, "inputs", ["stem.1"]), "does not come before"),
        (_set(*CONVOLUTION, "inputs", ["stem.0"]), "cycle"),
        (_set(*CONVOLUTION, "inputs", []), "needs one input, has 0"),
        (_set(*CONVOLUTION, "shape", [8, 8]), "list of 3 whole numbers"),
        (_set(*CONVOLUTION, "shape", [8, 9, 8]), r"has shape \(8, 9, 8\), its operator gives \(8, 8, 8\)"),
        (_set(*CONVOLUTION, "shape", [8, 10**40, 8]), "32 bits"),
        (_drop(*CONVOLUTION, "fields", "weight"), "no 'weight'"),
        (_set(*CONVOLUTION, "fields", "weight", [1.0]), "not a float32 tensor"),
        (_set(*CONVOLUTION, "fields", "weight", torch.zeros(8, 3, 3, 3).double()), "not a float32 tensor"),
        (_set(*CONVOLUTION, "fields", "weight", torch.zeros(8, 4, 3, 3)), "takes 4 channels"),
        (_set(*CONVOLUTION, "fields", "weight", torch.zeros(8)), "needs 4"),
        (_set(*CONVOLUTION, "fields", "weight", torch.full((8, 3, 3, 3), torch.nan)), "NaN"),
        (_set(*CONVOLUTION, "fields", "bias", torch.tensor(1.0)), "bias has shape"),
        (_set(*CONVOLUTION, "fields", "stride", [0, 1]), "at least 1"),
        (_set(*CONVOLUTION, "fields", "stride", [1, True]), "stride of layer stem.0"),
        (_set(*CONVOLUTION, "fields", "padding", [1, 1]), "list of 4"),
        (_set(*CONVOLUTION, "fields", "groups", 2.0), "whole number"),
        (_set("graph", "layers", 2, "fields", "epsilon", "1"), "not a number"),
    ],
)
def test_damaged_contents(change, text, contents):
    damaged = copy.deepcopy(contents)
    change(damaged)
    with pytest.raises(ModelFileError, match=text):
        read_model_file(damaged)
    read_model_file(contents)


_JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from([torch.zeros(0), torch.ones(2, 3), torch.tensor(1, dtype=torch.int8), "input", "Add"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_contents_with_any_junk_anywhere(data):
    damaged = {
        "format": "nmdeploy model",
        "version": 1,
        "graph": encode_graph(_SMALL),
        "preprocessing": {"scale": 1.0, "mean": [0.0], "std": [1.0], "layout": "NCHW"},
        "classes": [],
        "calibration": None,
    }
    node = damaged
    while True:
        keys = sorted(node) if isinstance(node, dict) else list(range(len(node)))
        key = data.draw(st.sampled_from(keys))
        if isinstance(node[key], dict | list) and node[key] and data.draw(st.integers(0, 4)):
            node = node[key]
            continue
        node[key] = data.draw(_JUNK)
        break
    try:
        model = read_model_file(damaged)
    except ModelFileError:
        return
    assert model.layers.outputs


_SMALL = trace(
    settled(nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU6(), nn.MaxPool2d(2), nn.PReLU(3))),
    torch.zeros(1, 2, 6, 6),
)
