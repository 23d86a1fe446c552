"""Files of every kind: accepted ones load, all others are refused with the reason, and none executes anything."""

import io
import os
import pickle
import pickletools
import tarfile
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layer_oracle import evaluate
from model_comparison import assert_same_model
from torch import nn
from traced_networks import ResNet, sample, settled

import nmdeploy
from nmdeploy.errors import ModelFileError, NmdeployError, UnsupportedNetworkError
from nmdeploy.frontend.load import load_model
from nmdeploy.frontend.trace import trace
from nmdeploy.model import Model
from nmdeploy.preprocessing import Preprocessing

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"


def stock_network():
    return settled(
        nn.Sequential(
            OrderedDict(
                conv=nn.Conv2d(2, 4, 3, padding="same"),
                norm=nn.BatchNorm2d(4),
                act=nn.ReLU(inplace=True),
                pool=nn.AdaptiveAvgPool2d(1),
                flat=nn.Flatten(),
                out=nn.Linear(4, 3),
            )
        )
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.bin"


@pytest.fixture
def factories(tmp_path, monkeypatch):
    """A module of the user's in the current directory."""
    (tmp_path / "my_networks.py").write_text(
        "from torch import nn\n"
        "def small(): return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU())\n"
        "class Nested:\n"
        "    build = staticmethod(small)\n"
        "def failing(): raise RuntimeError('no weights today')\n"
        "def number(): return 7\n"
    )
    monkeypatch.chdir(tmp_path)
    yield "my_networks"
    import sys

    sys.modules.pop("my_networks", None)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("protocol", [2, 4])
def test_pickled_stock_module(path, zipped, protocol):
    module = stock_network()
    torch.save(module, path, _use_new_zipfile_serialization=zipped, pickle_protocol=protocol)
    model = load_model(path, input_shape=(2, 6, 6))
    assert_same_model(model, Model(trace(module, sample(2, 6, 6)), Preprocessing()))


def test_pickled_module_needs_an_input_shape(path):
    torch.save(stock_network(), path)
    with pytest.raises(ModelFileError, match="--input-shape"):
        load_model(path)
    with pytest.raises(ModelFileError, match=r"\(C, H, W\)"):
        load_model(path, input_shape=(1, 2, 3, 4))
    with pytest.raises(ModelFileError, match="leave --model out"):
        load_model(path, input_shape=(2, 6, 6), model_factory="a:b")


def test_pickled_module_in_training_mode(path):
    torch.save(stock_network().train(), path)
    with pytest.raises(UnsupportedNetworkError, match="training mode"):
        load_model(path, input_shape=(2, 6, 6))


def test_pickled_double_module_gets_an_example_of_its_type(path):
    torch.save(stock_network().double(), path)
    assert load_model(path, input_shape=(2, 6, 6)).layers.outputs == ("out",)


def test_pickled_modules_of_unsupported_stock_layers_are_loaded_and_then_listed(path):
    torch.save(nn.Sequential(nn.Linear(3, 3), nn.SiLU(), nn.LayerNorm(3)).eval(), path)
    with pytest.raises(UnsupportedNetworkError, match=r"SiLU.*\n.*LayerNorm"):
        load_model(path, input_shape=(3,))


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"epoch": 3, "state_dict": s}, lambda s: {"model": s}])
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.module."])
def test_state_dict_with_a_factory(path, factories, wrap, prefix):
    import sys

    module = settled(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU()))
    torch.save(wrap({prefix + key: value for key, value in module.state_dict().items()}), path)
    before = list(sys.path)
    model = load_model(path, model_factory=f"{factories}:small", input_shape=(3,))
    assert sys.path == before
    assert_same_model(model, Model(trace(module, sample(3)), Preprocessing(layout="NF")))
    nested = load_model(path, model_factory=f"{factories}:Nested.build", input_shape=(3,))
    assert nested.layers.outputs == ("2",)


def test_state_dict_without_a_factory_says_what_to_pass(path):
    torch.save(stock_network().state_dict(), path)
    with pytest.raises(ModelFileError, match=r"state dict.*--model package\.module:factory.*--input-shape"):
        load_model(path, input_shape=(2, 6, 6))


@pytest.mark.parametrize(
    ("factory", "text"),
    [
        ("my_networks", "not of the form"),
        (":small", "not of the form"),
        ("no_such_module:small", "ModuleNotFoundError"),
        ("my_networks:large", "AttributeError"),
        ("my_networks:failing", "RuntimeError: no weights today"),
        ("my_networks:number", "gives a int"),
        ("my_networks:small", "do not fit Sequential"),
    ],
)
def test_factories_that_fail(path, factories, factory, text):
    torch.save(stock_network().state_dict(), path)
    with pytest.raises(ModelFileError, match=text):
        load_model(path, model_factory=factory, input_shape=(3,))


def test_what_is_neither_module_nor_weights(path):
    for contents in ({"epoch": 3}, [1, 2], {}, torch.zeros(3), None, {1: torch.zeros(1)}):
        torch.save(contents, path)
        with pytest.raises(ModelFileError, match="neither a module nor a state dict"):
            load_model(path, input_shape=(3,))


class Touch:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mknod, (self.path,)


class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(3, 2)

    def forward(self, x):
        return self.inner(x)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_pickle_that_executes_is_refused_unexecuted(path, tmp_path, zipped, protocol):
    trap = tmp_path / "trap"
    contents = {"state_dict": {"weight": Touch(trap)}, "more": [Touch(trap)]}
    torch.save(contents, path, _use_new_zipfile_serialization=zipped, pickle_protocol=protocol)
    with pytest.raises(ModelFileError, match=r"needs code .*posix\.mknod.*nmdeploy\.save.*--trust"):
        load_model(path, input_shape=(3,))
    assert not trap.exists()
    with pytest.raises(ModelFileError):
        load_model(path, input_shape=(3,), trust=True)
    assert trap.exists()  # so the file would have done it


def test_a_plain_pickle_is_refused_unexecuted(path, tmp_path):
    path.write_bytes(pickle.dumps(Touch(tmp_path / "trap")))
    with pytest.raises(ModelFileError, match=r"posix\.mknod"):
        load_model(path, input_shape=(3,))
    assert not (tmp_path / "trap").exists()


def test_all_refused_classes_are_named(path):
    torch.save({"net": Own(), "array": np.zeros(3), "path": Path("x")}, path)
    with pytest.raises(ModelFileError) as caught:
        load_model(path, input_shape=(3,))
    for name in ("test_load_model.Own", "_reconstruct", "pathlib.PosixPath"):
        assert name in str(caught.value)
    assert "torch.nn" not in str(caught.value)


def test_trust_admits_own_classes(path):
    torch.save(Own().eval(), path)
    assert load_model(path, input_shape=(3,), trust=True).layers.outputs == ("inner",)


@pytest.mark.parametrize(
    "opcodes",
    [
        # torch.nn.modules.linear.Linear.forward = set, for everybody
        b"\x80\x02ctorch.nn.modules.linear\nLinear\nN}X\x07\x00\x00\x00forwardc__builtin__\nset\ns\x86b.",
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nN}X\x0c\x00\x00\x00__defaults__)s\x86b.",
    ],
)
def test_a_pickle_cannot_change_classes_or_functions(path, opcodes):
    pickletools.dis(opcodes, io.StringIO())
    forward, defaults = nn.Linear.forward, torch._utils._rebuild_tensor_v2.__defaults__
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", opcodes)
        archive.writestr("archive/version", "3\n")
    with pytest.raises(ModelFileError):
        load_model(path, input_shape=(3,))
    assert nn.Linear.forward is forward
    assert torch._utils._rebuild_tensor_v2.__defaults__ == defaults


def _tar(path):
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        entry = tarfile.TarInfo("\udc80pickle")  # the first byte is that of a pickle
        archive.addfile(entry)


@pytest.mark.parametrize(
    ("write", "text"),
    [
        (lambda path: None, "cannot read"),
        (lambda path: path.mkdir(), "cannot read"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100)), r"HDF5 \(\.nir, \.net\).*later release"),
        (lambda path: path.write_bytes(b"import torch\n"), "no known kind"),
        (lambda path: path.write_bytes((40).to_bytes(8, "little") + b'{"a":{}}'), "safetensors"),
        (lambda path: path.write_bytes(b"\x08\x07\x12\x07pytorch\x1a"), "ONNX"),
        (_tar, "no known kind"),
        (lambda path: np.savez(path.open("wb"), x=np.zeros(3)), "data file, not a model"),
        (lambda path: zipfile.ZipFile(path, "w").writestr("a.txt", "a"), "damaged|no file of torch.save"),
        (lambda path: torch.jit.script(nn.ReLU()).save(str(path)), "TorchScript"),
        (lambda path: path.write_bytes(b"PK\x03\x04" + bytes(50)), "damaged"),
        (lambda path: path.write_bytes(b"\x80\x02}q\x00."), "damaged or no file of torch.save"),
    ],
)
def test_files_of_other_kinds(path, write, text):
    write(path)
    with pytest.raises(ModelFileError, match=text) as caught:
        load_model(path, input_shape=(3,), trust=True)
    assert str(path) in str(caught.value)


def test_exported_programs_are_refused_even_with_trust(path):
    for entry in ("serialized_exported_program.json", "archive/models/model.json"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(entry, "{}")
        with pytest.raises(ModelFileError, match=r"\.pt2.*nmdeploy\.save"):
            load_model(path, trust=True)


@pytest.fixture(scope="module")
def good_bytes(tmp_path_factory):
    path = tmp_path_factory.mktemp("good") / "model.pt"
    nmdeploy.save(stock_network(), sample(2, 6, 6), path)
    pickled = path.with_name("pickled.pt")
    torch.save(stock_network(), pickled, _use_new_zipfile_serialization=False)
    return path.read_bytes(), pickled.read_bytes()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_are_errors_of_their_own_kind(good_bytes, path, data):
    damaged = bytearray(data.draw(st.sampled_from(good_bytes)))
    kind = data.draw(st.sampled_from(["cut", "flip", "fill"]))
    at = data.draw(st.integers(0, len(damaged) - 1))
    if kind == "cut":
        del damaged[at:]
    elif kind == "flip":
        for position in data.draw(st.lists(st.integers(0, len(damaged) - 1), min_size=1, max_size=4)):
            damaged[position] = data.draw(st.integers(0, 255))
    else:
        width = data.draw(st.integers(1, 64))
        damaged[at : at + width] = data.draw(st.binary(min_size=width, max_size=width))
    path.write_bytes(damaged)
    try:
        load_model(path, input_shape=(2, 6, 6))
    except (ModelFileError, UnsupportedNetworkError):
        return


@pytest.mark.parametrize("part", [b"_parameters", b"_modules"])
def test_a_pickled_module_that_lacks_a_part_is_damaged(good_bytes, path, part):
    """One byte of the name changed where it is first pickled: the module loads, but is none."""
    whole = good_bytes[1]
    position = whole.index(len(part).to_bytes(4, "little") + part) + 4
    path.write_bytes(whole[:position] + b"?" + whole[position + 1 :])
    with pytest.raises(ModelFileError, match="damaged"):
        load_model(path, input_shape=(2, 6, 6))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(head=st.sampled_from([b"", b"\x80\x02", b"\x80\x04", b"PK\x03\x04"]), tail=st.binary(max_size=200))
def test_random_bytes(path, head, tail):
    path.write_bytes(head + tail)
    with pytest.raises(ModelFileError):
        load_model(path, input_shape=(2, 6, 6))


def test_options_override_what_the_file_says(path):
    nmdeploy.save(stock_network(), sample(2, 6, 6), path, scale=255, mean=[0.1, 0.2], layout="NHWC")
    model = load_model(path, mean=[0.0], std=[2.0, 3.0])
    assert model.preprocessing == Preprocessing(255.0, (0.0,), (2.0, 3.0), "NHWC")
    assert load_model(path, scale=1, layout="NCHW").preprocessing.layout == "NCHW"
    with pytest.raises(NmdeployError, match="mean has 3 values"):
        load_model(path, mean=[1, 2, 3])


def test_input_shape_must_agree_with_the_file(path):
    nmdeploy.save(stock_network(), sample(2, 6, 6), path)
    load_model(path, input_shape=(2, 6, 6))
    with pytest.raises(ModelFileError, match=r"takes \(2, 6, 6\)"):
        load_model(path, input_shape=(3, 6, 6))
    with pytest.raises(ModelFileError, match="leave --model out"):
        load_model(path, model_factory="a:b")
    nmdeploy.save(nn.Conv1d(2, 2, 3).eval(), sample(2, 6), path)
    load_model(path, input_shape=(2, 6))
    nmdeploy.save(nn.Linear(2, 2).eval(), sample(2), path)
    load_model(path, input_shape=(2,))


def resnet20():
    return ResNet(3, "A", 16)


@pytest.mark.skipif(not DATA.exists(), reason="the trained networks in ../shared/data are not here")
def test_published_resnet20_gives_its_published_logits():
    model = load_model(
        DATA / "cifar10" / "resnet20_cifar10.pt",
        model_factory=f"{__name__}:resnet20",
        input_shape=(3, 32, 32),
        scale=255,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        layout="NHWC",
    )
    with np.load(DATA / "cifar10" / "cifar10_test_0000_1999.npz") as archive:
        images = archive["x"][:8]
    samples = model.preprocessing.apply(images, model.layers.input_layer.shape)
    (logits,) = evaluate(model.layers, torch.from_numpy(samples))
    expected = np.load(DATA / "cifar10" / "resnet20_logits_test_0000_1999.npy")[:8]
    np.testing.assert_allclose(logits.flatten(1).numpy(), expected, atol=1e-3)
