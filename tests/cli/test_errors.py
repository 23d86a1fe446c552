"""Mistakes of users: exit 2 (1 if the network does not fit), a message that says what is wrong, no traceback."""

import pickle
import re

import numpy as np
import pytest
import torch
from command_line import nmdeploy, nmdeploy_here, refused
from torch import nn

import nmdeploy as package
from hw_profiles import profile_text


@pytest.fixture
def small_model(tmp_path):
    """A model file with a layer of 8 inputs, 3 hidden and 2 outputs."""
    module = nn.Sequential(nn.Linear(8, 3), nn.ReLU(), nn.Linear(3, 2)).eval()
    calibration = np.random.default_rng(0).random((8, 8), dtype=np.float32)
    path = tmp_path / "small.pt"
    package.save(module, torch.zeros(1, 8), path, layout="NF", calibration=calibration)
    return path


def compile_model(model, *options):
    return nmdeploy_here("compile", model, *options, cwd=model.parent)


def test_the_small_model_itself_compiles(small_model):
    assert compile_model(small_model, "-T", "4").code == 0


def test_a_mistake_in_a_process_of_its_own(small_model):
    """All other tests of this file call the program's entry point without a new process."""
    refused(nmdeploy("compile", small_model, "--weight-bits", "7"), "error: ", "7")
    refused(nmdeploy("compile", small_model, "--timesteps", "many"), "--timesteps", "integer")


def test_missing_model(tmp_path):
    refused(nmdeploy_here("compile", tmp_path / "none.pt"), "none.pt", "No such file")


@pytest.mark.parametrize("content", [b"", b"not a model", b"PK\x03\x04 cut off", pickle.dumps({1: 2})[:-4]])
def test_damaged_model(tmp_path, content):
    (tmp_path / "model.pt").write_bytes(content)
    refused(nmdeploy_here("compile", tmp_path / "model.pt"), "model.pt")


def test_pickle_that_would_execute_code(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (tmp_path.joinpath("exploded").touch, ())

    torch.save(Bomb(), tmp_path / "model.pt")
    refused(nmdeploy_here("compile", tmp_path / "model.pt"), "--trust")
    assert not (tmp_path / "exploded").exists()


def test_state_dict_without_an_architecture(tmp_path):
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "model.pt")
    refused(nmdeploy_here("compile", tmp_path / "model.pt"), "state dict", "--model package.module:factory")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--target", "abacus"], ["abacus", "loihi"]),
        (["--target", "missing.toml"], ["missing.toml"]),
        (["--weight-bits", "7"], ["7"]),
        (["--weight-bits", "0"], ["--weight-bits"]),
        (["--timesteps", "0"], ["--timesteps"]),
        (["--timesteps", "many"], ["--timesteps", "integer"]),
        (["--method", "magic"], ["magic", "channel-percentile"]),
        (["--percentile", "101"], ["--percentile"]),
        (["--thresholds", "neuron"], ["--thresholds"]),
        (["--reset", "soft"], ["--reset"]),
        (["--layout", "CHWN"], ["--layout"]),
        (["--scale", "0"], ["scale"]),
        (["--scale", "nan"], ["scale"]),
        (["--mean", "a,b"], ["--mean a,b"]),
        (["--mean", ""], ["--mean"]),
        (["--std", "0"], ["std"]),
        (["--mean", "1,2,3"], ["mean has 3 values", "8 input channels"]),
        (["--input-shape", "8,x"], ["--input-shape 8,x"]),
        (["--input-shape", "-8"], ["--input-shape"]),
        (["--input-shape", "9"], ["--input-shape"]),
        (["--stop-after", "lunch"], ["lunch", "quantize"]),
        (["--calibration", "none.npz"], ["none.npz", "no such file"]),
        (["--calibration-limit", "0"], ["--calibration-limit"]),
        (["--model", "os:getcwd"], ["--model"]),
        (["--colour", "red"], ["--colour"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) and value[0].startswith("--") else "",
)
def test_bad_options(small_model, options, words):
    refused(compile_model(small_model, *options), *words)
    assert not small_model.with_suffix(".nmd").exists()


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda text: "= nonsense [", ["not valid TOML"]),
        (lambda text: "", ["mesh", "Field required"]),
        (lambda text: text.replace("[mesh.chips]", "[mesh.chips]\nwarp = 9", 1), ["warp"]),
        (lambda text: text.replace("value = ", 'value = "many" # ', 1), ["valid integer"]),
        (lambda text: text + "\nextra = 1\n", ["extra"]),
    ],
    ids=["no TOML", "empty", "unknown field", "word for a number", "field at the end"],
)
def test_bad_profile(small_model, edit, words):
    (small_model.parent / "chip.toml").write_text(edit(profile_text("loihi")))
    refused(compile_model(small_model, "--target", "chip.toml"), "chip.toml", *words)
    refused(nmdeploy_here("targets", "chip.toml", cwd=small_model.parent), "chip.toml", *words)


def test_unsupported_operator_is_named(tmp_path):
    (tmp_path / "sine_network.py").write_text(
        "import torch\nfrom torch import nn\n\n\nclass WithSine(nn.Module):\n    def forward(self, x):\n"
        "        return torch.sin(x)\n\n\ndef sine():\n"
        "    return nn.Sequential(nn.Linear(4, 4), WithSine(), nn.Linear(4, 2))\n"
    )
    weights = nn.Sequential(nn.Linear(4, 4), nn.Identity(), nn.Linear(4, 2)).state_dict()
    torch.save(weights, tmp_path / "weights.pt")
    ended = nmdeploy_here("compile", "weights.pt", "--model", "sine_network:sine", "--input-shape", "4", cwd=tmp_path)
    refused(ended, "sin", "sine_network.py:7")
    assert not (tmp_path / "weights.nmd").exists()


def test_weights_of_another_network(tmp_path, small_model):
    torch.save(nn.Linear(3, 3).state_dict(), tmp_path / "weights.pt")
    options = ["--model", "examples.networks.mnist_cnn:mnist_cnn", "--input-shape", "1,28,28"]
    refused(nmdeploy_here("compile", tmp_path / "weights.pt", *options), "do not fit MnistCnn")


def test_network_that_does_not_fit_is_exit_1(tmp_path):
    """A chip of one router and a network of 65,546 neurons."""
    module = nn.Sequential(nn.Conv2d(1, 64, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(64 * 32 * 32, 10))
    package.save(module.eval(), torch.zeros(1, 1, 32, 32), tmp_path / "large.pt")
    text = profile_text("loihi").replace("[mesh.chips]\nvalue = 768", "[mesh.chips]\nvalue = 1")
    for axis in ("x", "y"):
        text = re.sub(rf"(\[mesh.routers_{axis}\]\nvalue = )\d+", r"\g<1>1", text)
    (tmp_path / "chip.toml").write_text(text)
    ended = nmdeploy_here("compile", "large.pt", "--target", "chip.toml", "-T", "2", cwd=tmp_path)
    assert ended.code == 1
    assert "does not fit" in ended.stderr
    assert "NMD" in ended.stderr
    assert not (tmp_path / "large.nmd").exists()


def test_output_folder_that_is_no_artifact(small_model, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("text")
    refused(compile_model(small_model, "-T", "2", "-o", "mine"), "mine", "left alone")
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "text"


def data_files(folder):
    np.savez(folder / "wrong_shape.npz", x=np.zeros((2, 9, 9), np.uint8))
    np.savez(folder / "no_x.npz", images=np.zeros((2, 8, 8)))
    np.savez(folder / "wrong_y.npz", x=np.zeros((2, 8, 8)), y=np.zeros(3, np.int64))
    np.savez(folder / "nan.npz", x=np.full((2, 8, 8), np.nan))
    np.savez(folder / "huge.npz", x=np.full((2, 8, 8), 1e30))
    np.savez(folder / "objects.npz", x=np.array([[None]]))
    (folder / "text.npz").write_text("text")


@pytest.mark.parametrize(
    "name",
    ["missing.npz", "wrong_shape.npz", "no_x.npz", "wrong_y.npz", "nan.npz", "huge.npz", "objects.npz", "text.npz"],
)
def test_bad_data(compiled, tmp_path, name):
    data_files(tmp_path)
    for command in ("run", "energy"):
        ended = nmdeploy_here(command, compiled[1], "--data", tmp_path / f"{name}.npz")
        assert len(ended.stderr.splitlines()) == 1
        refused(ended, "error: ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], ["--data"]),
        (["run", "--data", "{data}", "--backend", "abacus"], ["abacus"]),
        (["run", "--data", "{data}", "--limit", "0"], ["--limit"]),
        (["run", "--data", "{data}", "-T", "0"], ["--timesteps"]),
        (["run", "--data", "{data}", "--limit", "1", "--output", "/nowhere/at/all.npz"], ["/nowhere/at/all.npz"]),
        (
            ["run", "--data", "{data}", "--limit", "1", "--backend", "lava", "--lava-python", "/no/python"],
            ["/no/python", "--backend simulator"],
        ),
        *(
            (["run", "--data", "{data}", "--backend", backend, "--granularity", "core"], ["granularity core", backend])
            for backend in ("simulator", "lava-stock")
        ),
        (["energy", "--preset", "free"], ["free", "int32"]),
        (["energy", "--format", "yaml"], ["--format"]),
        (["check", "--format", "yaml"], ["--format"]),
        (["report", "-o", "/nowhere/at/all.html"], ["/nowhere/at/all.html"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_arguments_of_other_commands(compiled, digits_data, arguments, words):
    command, *options = [argument.format(data=digits_data) for argument in arguments]
    refused(nmdeploy_here(command, compiled[1], *options), *words)


def test_unknown_command_and_target():
    refused(nmdeploy_here("deploy"), "deploy")
    refused(nmdeploy_here("targets", "abacus"), "abacus", "loihi")
    refused(nmdeploy_here("check", "nowhere.nmd"), "nowhere.nmd", "no nmdeploy artifact")
