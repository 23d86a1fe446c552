"""Networks that reset to zero keep to whole threshold steps, as Lava's stock neurons need."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layer_graphs import WEIGHT_BITS, Builder, quantized

from nmdeploy.layers import operators as op
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.simulator import simulate

STEP = 64


def plain_chain(seed=0, signs="mixed", gain=1.0):
    builder = Builder((2, 5, 4), seed)
    builder.convolution(3, signs, gain)
    builder.add(op.ReLU())
    builder.convolution(4, signs, gain, stride=2)
    builder.add(op.ReLU())
    builder.convolution(4, "mixed", gain, groups=2)
    builder.add(op.ReLU())
    builder.linear(6)
    builder.add(op.ReLU())
    builder.linear(3)
    return builder.graph()


def options(bits=8, reset="zero"):
    return QuantizationOptions(timesteps=8, weight_bits=bits, thresholds="layer", reset=reset)


@pytest.mark.lava
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(0, 2**31),
    st.sampled_from(["mixed", "excitatory"]),
    st.sampled_from([0.1, 1.0, 10.0]),
    st.sampled_from(WEIGHT_BITS),
)
def test_stock_neurons_can_compute_a_plain_chain(seed, signs, gain, bits):
    stock = pytest.importorskip("nmdeploy.lava.stock")
    made = quantized(plain_chain(seed, signs, gain), options(bits), method="layer-max")
    assert stock.stock_obstacles(made.network) == []


@pytest.mark.lava
def test_stock_neurons_cannot_compute_reset_by_subtraction():
    stock = pytest.importorskip("nmdeploy.lava.stock")
    assert stock.stock_obstacles(quantized(plain_chain(), options(reset="subtract")).network)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(WEIGHT_BITS))
def test_every_potential_is_a_multiple_of_the_step(seed, bits):
    made = quantized(plain_chain(seed), options(bits))
    result = simulate(made.network, made.calibration.samples)
    assert not (result.potentials % STEP).any()


@pytest.mark.parametrize("bits", WEIGHT_BITS)
def test_what_stands_for_one_is_what_makes_a_neuron_fire(bits):
    """The smallest reachable potential that fires, over the delivered weights, stands for 1."""
    made = quantized(plain_chain(), options(bits), method="layer-max")
    for projection in made.network.projections:
        population = made.network.population(projection.target)
        if population.is_output or bits == 1:  # one bit of mixed sign has no positive weights
            continue
        firing = -(-population.threshold // STEP) * STEP
        given_projection = next(made.float_network.incoming(projection.target))
        wanted = made.float_network.normalised_weights(given_projection)
        delivered = projection.weights * 2.0 ** (6 + projection.weight_exponent) / firing[:, None, None, None]
        mantissa_step = 1 << (9 - bits) if projection.sign_mode == "mixed" else 1 << (8 - bits)
        level = mantissa_step * 2.0 ** (6 + projection.weight_exponent) / firing.min()
        assert np.abs(delivered - wanted).max() <= level / 2 + 1e-9
