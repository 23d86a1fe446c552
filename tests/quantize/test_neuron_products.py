"""What neurons multiply fits the products of the chip, down to the shortest windows."""

import numpy as np
import pytest
import torch
from torch import nn

from hw_profiles import load_profile
from nmdeploy.compiler_options import CompilerOptions
from nmdeploy.convert.calibration import split_calibration
from nmdeploy.frontend.trace import trace
from nmdeploy.passes import PassRunner
from nmdeploy.pipeline import compile_layers
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.quantize.neuron_choice import NeuronChoice

LOIHI2 = load_profile("loihi2")


@pytest.mark.parametrize(("timesteps", "refinement"), [(1, 0), (2, 0), (4, 0), (4, 2), (8, 3)])
@pytest.mark.parametrize("lead", [1, 3])
def test_leaky_networks_of_short_windows_are_legal(timesteps, refinement, lead):
    """A steep slope makes the largest product, not the step."""
    layers = nn.Conv2d(2, 4, 3), nn.LeakyReLU(0.5), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3), nn.LeakyReLU(0.9)
    made = compiled(layers, timesteps, refinement, NeuronChoice("paced", lead, release="half"))
    assert made.violations == ()
    assert made.network.populations[0].count_memory.slope_mantissa is not None


def compiled(layers, timesteps, refinement, neurons):
    """Random layers from 2 channels of 8 x 8 to 4 values, and a readout."""
    torch.manual_seed(0)
    for layer in layers:
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    module = nn.Sequential(*layers, nn.Flatten(), nn.Linear(4, 3)).eval()
    samples = torch.randn(8, 2, 8, 8)
    options = CompilerOptions(
        QuantizationOptions(timesteps),
        "channel-max",
        neurons=neurons,
        compensation="none",
        refinement_steps=refinement,
        choose_leads=False,
    )
    calibration = split_calibration(samples.numpy(), "test")
    passes = PassRunner(lambda name: None)
    return compile_layers(trace(module, samples[:1]), calibration, LOIHI2, options, passes)


@pytest.mark.parametrize(("timesteps", "refinement", "lead"), [(64, 0, 16), (64, 4, 16), (24, 3, 6), (128, 0, 1)])
@pytest.mark.parametrize("dropped", [False, True])
def test_thresholds_leave_room_for_the_product_with_the_step(timesteps, refinement, lead, dropped):
    """(1 + lead) w theta (T - R) fits, whatever the data; no threshold is half of what the product alone allows.

    A population without the lead of the others has products, and thresholds, of its own.
    """
    without = frozenset({"0"}) if dropped else frozenset()
    layers = nn.Conv2d(2, 4, 5), nn.ReLU(), nn.Conv2d(4, 4, 4), nn.ReLU()
    neurons = NeuronChoice("paced", lead, release="threshold", without_lead=without)
    made = compiled(layers, timesteps, refinement, neurons)
    assert made.violations == ()
    found = [population.lead for population in made.network.populations if not population.is_output]
    assert found == [0 if dropped else lead, lead]
    for population in made.network.populations[:-1]:
        factor = (1 + population.lead) * (timesteps - refinement) << refinement
        largest = factor * int(np.max(population.threshold))
        assert largest <= LOIHI2.number_formats.product_max
        if population.lead > 1:
            assert largest > LOIHI2.number_formats.product_max / 2
