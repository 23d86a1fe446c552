"""Biases and gains chosen for a delayed read-out: rates from that step on approach the activations."""

from dataclasses import replace

import numpy as np
import pytest
import torch  # noqa: F401 (where it is imported, the simulator computes with it, as compile does)
from layer_graphs import Builder, quantized

from nmdeploy.layers import operators as op
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.quantize.bias_correction import correct_biases
from nmdeploy.quantize.gain_search import search_gains
from nmdeploy.simulator import simulate
from nmdeploy.spiking.evaluate import activations

TIMESTEPS, READ_OUT = 24, 12


@pytest.fixture(scope="module", params=[0, 3])
def made(request):
    return deep_chain(request.param)


def deep_chain(seed):
    """Plain neurons: the later a layer, the later its rates settle."""
    builder = Builder((3, 4, 4), seed)
    for _ in range(5):
        builder.convolution(6)
        builder.add(op.ReLU())
    builder.linear(4)
    return quantized(builder.graph(), QuantizationOptions(TIMESTEPS, read_out_step=READ_OUT))


def rate_errors(made, network):
    """Of every spiking population, by how much the mean rates of its channels miss their activations, summed up.

    Spikes are counted from the read-out on.
    """
    trains = simulate(network, made.calibration.samples, record_spike_trains=True).spike_trains
    errors = []
    for population, values in activations(made.float_network, made.calibration.samples):
        if not population.is_output:
            late = trains[population.name][:, READ_OUT:].mean(axis=(0, 1)).reshape(population.shape[0], -1)
            activated = population.activate(values).mean(axis=(0, 1, 2))
            errors.append(np.abs(late.mean(axis=1) * population.scale - activated).sum())
    return np.array(errors)


def output_errors(made, network):
    """By how much the mean of each output from the read-out on misses that of the float network, summed up."""
    potentials = simulate(network, made.calibration.samples).potentials
    (output,) = network.outputs
    reached = (potentials[:, -1] - potentials[:, READ_OUT - 1]).mean(axis=0) / (TIMESTEPS - READ_OUT) * output.scale
    *_, (_, values) = activations(made.float_network, made.calibration.samples)
    return np.abs(reached - values.mean(axis=(0, 1, 2))).sum()


def test_rates_approach_activations(made):
    plain, corrected = (rate_errors(made, one) for one in (made.network, corrected_for(made, READ_OUT)))
    assert (corrected < plain).all()
    assert corrected.sum() < 0.7 * plain.sum()
    # the error of all steps is another one
    assert corrected.sum() < 0.8 * rate_errors(made, corrected_for(made, 0)).sum()


def corrected_for(made, read_out_step):
    network = replace(made.network, read_out_step=read_out_step)
    return correct_biases(network, made.float_network, made.calibration.samples)


def test_outputs_approach_those_of_the_float_network(made):
    plain, corrected, early = (
        output_errors(made, one) for one in (made.network, corrected_for(made, READ_OUT), corrected_for(made, 0))
    )
    assert corrected < 0.1 * plain
    assert corrected < 0.5 * early


def test_the_network_is_the_same_but_for_its_biases(made):
    corrected = corrected_for(made, READ_OUT)
    assert corrected.read_out_step == READ_OUT
    for before, after in zip(made.network.populations, corrected.populations, strict=True):
        np.testing.assert_array_equal(after.threshold, before.threshold)
        assert not np.array_equal(after.bias, before.bias)


def test_gains_are_those_of_the_least_error_from_the_read_out_on():
    made = deep_chain(1)
    samples = made.calibration.samples
    first, values = next(iter(activations(made.float_network, samples)))
    wanted = first.activate(values).transpose(0, 3, 1, 2).reshape(len(samples), -1)

    def late_error(network):
        late = simulate(network, samples, record_spike_trains=True).spike_trains[first.name][:, READ_OUT:].mean(axis=1)
        return ((late * np.repeat(first.scale, wanted.shape[1] // len(first.scale)) - wanted) ** 2).sum()

    gained, early = (
        search_gains(replace(made.network, read_out_step=step), made.float_network, samples) for step in (READ_OUT, 0)
    )
    assert late_error(gained) < min(late_error(early), late_error(made.network))
