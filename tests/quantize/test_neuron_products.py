"""What neurons multiply fits the products of the chip, down to the shortest windows."""

import pytest
import torch
from torch import nn

from hw_profiles import load_profile
from nmdeploy.convert.calibration import split_calibration
from nmdeploy.frontend.trace import trace
from nmdeploy.pipeline import CompilerOptions, PassRunner, compile_layers
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.quantize.neuron_choice import NeuronChoice


@pytest.mark.parametrize(("timesteps", "refinement"), [(1, 0), (2, 0), (4, 0), (4, 2), (8, 3)])
@pytest.mark.parametrize("lead", [1, 3])
def test_leaky_networks_of_short_windows_are_legal(timesteps, refinement, lead):
    """A steep slope makes the largest product, not the step."""
    torch.manual_seed(0)
    layers = nn.Conv2d(2, 4, 3), nn.LeakyReLU(0.5), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3), nn.LeakyReLU(0.9)
    module = nn.Sequential(*layers, nn.Flatten(), nn.Linear(4, 3)).eval()
    samples = torch.randn(8, 2, 8, 8)
    options = CompilerOptions(
        QuantizationOptions(timesteps, refinement_steps=refinement),
        "channel-max",
        neurons=NeuronChoice("paced", lead, release="half"),
        compensation="none",
    )
    calibration = split_calibration(samples.numpy(), "test")
    passes = PassRunner(lambda name: None)
    made = compile_layers(trace(module, samples[:1]), calibration, load_profile("loihi2"), options, passes)
    assert made.violations == ()
    assert made.network.populations[0].count_memory.slope_mantissa is not None
