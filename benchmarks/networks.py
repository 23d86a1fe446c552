"""The trained modules that the benchmark runs, and their compilation by our own passes.

A prepared case is a folder that every contestant reads, whichever interpreter runs it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.float_module import build_module
from benchmarks.seeded_weights import seed_weights
from hw_profiles import HardwareProfile, parse_profile, profile_text
from mapping.network import ChipNetwork
from nmdeploy.artifact.network_file import write_network
from nmdeploy.convert.calibration import split_calibration
from nmdeploy.convert.convert import apply_method, convert
from nmdeploy.data_file import read_data
from nmdeploy.frontend.trace import trace
from nmdeploy.preprocessing import Preprocessing
from nmdeploy.quantize import QuantizationOptions, quantize

METHOD = "channel-percentile"
PERCENTILE = 99.9
CALIBRATION_SAMPLES = 128
TEST_SAMPLES = 128
SEED = 0

CIFAR = Preprocessing(255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "NHWC")
MNIST = Preprocessing(255, layout="NHW")


@dataclass(frozen=True)
class Case:
    """A network to measure.

    Attributes
    ----------
    name : str
    factory : str
        ``package.module:function`` that builds the module; the package needs nothing but torch.
    weights : str or None
        Its state dict, below the folder of data; None for seeded weights, see `benchmarks.seeded_weights`.
    test, calibration : str or None
        Data files below the folder of data; None for noise.
    preprocessing : Preprocessing
    input_shape : (int, int, int)
    timesteps : int
    rounds : (int, int)
        Least and most turns of everyone, as `benchmarks.comparison.interleaved` takes them.
    lava_timesteps, lava_samples : int
        Window and number of samples of the run on our Lava processes, long enough to outlast the noise of the start.
    """

    name: str
    factory: str
    weights: str | None
    test: str | None
    calibration: str | None
    preprocessing: Preprocessing
    input_shape: tuple[int, int, int]
    timesteps: int = 64
    rounds: tuple[int, int] = (3, 9)
    lava_timesteps: int = 64
    lava_samples: int = 64


RESNET20 = Case(
    "ResNet-20",
    "examples.networks.resnet:resnet20",
    "cifar10/resnet20_cifar10.pt",
    "cifar10/cifar10_test_0000_1999.npz",
    "cifar10/cifar10_train_calib2000.npz",
    CIFAR,
    (3, 32, 32),
)
RESNET8 = Case(
    "ResNet-8",
    "examples.networks.resnet8:resnet8",
    "cifar10/resnet8_mlperf_tiny.pt",
    "cifar10/cifar10_test_0000_1999.npz",
    "cifar10/cifar10_train_calib2000.npz",
    Preprocessing(layout="NHWC"),
    (3, 32, 32),
)
MNIST_CNN = Case(
    "MNIST CNN",
    "examples.networks.mnist_cnn:mnist_cnn",
    "mnist/mnist_cnn_nxtf.pt",
    "mnist/mnist_test_0000_1999.npz",
    "mnist/mnist_train_part10000.npz",
    MNIST,
    (1, 28, 28),
    lava_samples=512,
)
VGG16 = Case(
    "VGG-16 shape",
    "benchmarks.vgg:vgg16",
    None,
    "cifar10/cifar10_test_0000_1999.npz",
    "cifar10/cifar10_train_calib2000.npz",
    CIFAR,
    (3, 32, 32),
    rounds=(2, 9),
    lava_timesteps=16,
)
TINY = Case(
    "tiny ResNet-8",
    "benchmarks.wide_resnet:resnet8",
    None,
    None,
    None,
    Preprocessing(),
    (3, 8, 8),
    timesteps=8,
    rounds=(2, 2),
    lava_timesteps=8,
    lava_samples=32,
)


@dataclass(frozen=True)
class Prepared:
    """A compiled case and the folder that holds it: network.h5, weights.pt, samples.npz and case.json.

    Attributes
    ----------
    case : Case
    folder : Path
    network : ChipNetwork
    samples : float32 array, (samples, channels, rows, columns)
        Preprocessed test samples.
    """

    case: Case
    folder: Path
    network: ChipNetwork
    samples: NDArray[np.float32]


def prepare(case: Case, data: Path | None, folder: Path) -> Prepared:
    """Build, convert and quantise a network, and write what the contestants read.

    Parameters
    ----------
    case : Case
    data : Path or None
        Folder of weights and images; not needed by a case without any.
    folder : Path
        Made if missing.
    """
    module, samples, calibration = write_case(case, data, folder, TEST_SAMPLES, CALIBRATION_SAMPLES)
    network = compile_module(module, calibration, case.timesteps)
    write_network(folder / "network.h5", network)
    largest = max(population.neuron_count for population in network.populations)
    description = {"factory": case.factory, "timesteps": case.timesteps, "largest_population": largest}
    (folder / "case.json").write_text(json.dumps(description))
    return Prepared(case, folder, network, samples)


def write_case(
    case: Case, data: Path | None, folder: Path, test_samples: int, calibration_samples: int
) -> tuple[nn.Module, NDArray[np.float32], NDArray[np.float32]]:
    """Write the float network and its samples: weights.pt, samples.npz and case.json.

    Parameters
    ----------
    case : Case
    data : Path or None
        Folder of weights and images; not needed by a case without any.
    folder : Path
        Made if missing.
    test_samples, calibration_samples : int
        At most so many.

    Returns
    -------
    nn.Module
        In evaluation mode.
    samples, calibration : float32 arrays, (samples, channels, rows, columns)
        Preprocessed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    calibration, _ = _samples(case, data, case.calibration, calibration_samples)
    samples, labels = _samples(case, data, case.test, test_samples)
    module = build_module(case.factory)
    if case.weights is None:
        seed_weights(module, torch.from_numpy(calibration), SEED)
    else:
        assert data is not None
        state = torch.load(data / case.weights, map_location="cpu", weights_only=True)
        module.load_state_dict({name: value.float() for name, value in state.items()})
    torch.save(module.state_dict(), folder / "weights.pt")
    np.savez(folder / "samples.npz", samples=samples, labels=labels, calibration=calibration)
    (folder / "case.json").write_text(json.dumps({"factory": case.factory}))
    return module.eval(), samples, calibration


def compile_module(
    module: nn.Module, calibration: NDArray[np.float32], timesteps: int, profile: HardwareProfile | None = None
) -> ChipNetwork:
    """The passes up to the integer network, for Loihi if not given; placement does not change what is simulated."""
    profile = profile or parse_profile(profile_text("loihi"), "loihi")
    split = split_calibration(calibration, "benchmark")
    converted = convert(trace(module, torch.from_numpy(calibration[:1])), split, PERCENTILE)
    scaled, _ = apply_method(converted, METHOD, timesteps)
    return quantize(scaled, converted.statistics, profile, QuantizationOptions(timesteps), split.input_max)


def _samples(
    case: Case, data: Path | None, file: str | None, count: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Preprocessed samples and labels (zeros for noise)."""
    if file is None:
        noise = np.random.default_rng(SEED).standard_normal((count, *case.input_shape))
        return noise.astype(np.float32), np.zeros(count, dtype=np.int64)
    assert data is not None
    read = read_data(data / file, count)
    assert read.labels is not None
    return case.preprocessing.apply(read.samples, case.input_shape), read.labels
