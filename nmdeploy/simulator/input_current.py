"""The constant current that the host writes into the biases for a sample; integers only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, InputProjection, Population
from nmdeploy.bias_field import to_bias_field
from nmdeploy.errors import DataFileError
from nmdeploy.simulator.products import Product, exact_dtype

IntArray = NDArray[np.int64]


def constant_current(
    network: ChipNetwork, population: Population, samples: NDArray[np.float32], product: type[Product] = Product
) -> IntArray:
    """Bias and input current that a population receives in every step of the window.

    Parameters
    ----------
    network : ChipNetwork
    population : Population
    samples : float32 array, (samples, channels, rows, columns)
        Preprocessed.
    product : type of Product
        What multiplies.

    Returns
    -------
    int64 array, (samples or 1, rows, columns, channels)
        In membrane units, each value a legal bias mantissa times a power of two. One row if no input comes in.

    Raises
    ------
    DataFileError
        A sample is so large that its current does not fit the chip's bias field.
    """
    bias: IntArray = np.broadcast_to(population.bias, population.shape).transpose(1, 2, 0)[None]
    projections = list(network.input_currents(population.name))
    if not projections:
        return bias
    channels, rows, columns = population.shape
    current = np.broadcast_to(bias, (samples.shape[0], rows, columns, channels)).copy()
    for projection in projections:
        start, stop = projection.connectivity.target_channels
        current[..., start:stop] += _projected(projection, samples, product)
    # networks that reset to zero keep to whole threshold steps, so that Lava's stock neurons compute the same
    whole_steps = any(other.reset == "zero" for other in network.populations)
    exponent_min = network.threshold_exponent if whole_steps else 0
    try:
        mantissa, exponent = to_bias_field(
            current, network.bias_mantissa_max, exponent_min, network.bias_exponent_max
        )
    except OverflowError as error:
        raise DataFileError(
            f"{population.name}: a sample's input current {error}. Check --scale, --mean and --std against the data."
        ) from error
    rounded: IntArray = mantissa << exponent
    return rounded


def _projected(projection: InputProjection, samples: NDArray[np.float32], product: type[Product]) -> IntArray:
    scaled = np.rint(samples.astype(np.float64) * 2.0**projection.input_fraction_bits)
    values = scaled.transpose(0, 2, 3, 1)
    try:
        dtype = exact_dtype(projection.weights, int(np.abs(values).max(initial=0)))
    except OverflowError as error:
        raise DataFileError(f"the input is too large for exact input currents: {error}") from error
    sums = product(projection.connectivity, projection.weights, dtype)(values).astype(np.int64)
    fraction_bits = projection.weight_fraction_bits + projection.input_fraction_bits
    rounded: IntArray = (sums + (1 << fraction_bits >> 1)) >> fraction_bits
    return rounded
