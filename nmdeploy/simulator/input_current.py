"""The constant current that the host writes into the biases for a sample; integers only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, InputProjection, Population
from nmdeploy.errors import DataFileError
from nmdeploy.simulator.products import Product, exact_dtype

IntArray = NDArray[np.int64]


def constant_current(network: ChipNetwork, population: Population, samples: NDArray[np.float32]) -> IntArray:
    """Bias and input current that a population receives in every step of the window.

    Parameters
    ----------
    network : ChipNetwork
    population : Population
    samples : float32 array, (samples, channels, rows, columns)
        Preprocessed.

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
        current[..., start:stop] += _projected(projection, samples)
    return _as_bias_field(network, population.name, current)


def _projected(projection: InputProjection, samples: NDArray[np.float32]) -> IntArray:
    scaled = np.rint(samples.astype(np.float64) * 2.0**projection.input_fraction_bits)
    values = scaled.transpose(0, 2, 3, 1)
    try:
        dtype = exact_dtype(projection.weights, int(np.abs(values).max(initial=0)))
    except OverflowError as error:
        raise DataFileError(f"the input is too large for exact input currents: {error}") from error
    sums = Product(projection.connectivity, projection.weights, dtype)(values).astype(np.int64)
    fraction_bits = projection.weight_fraction_bits + projection.input_fraction_bits
    rounded: IntArray = (sums + (1 << fraction_bits >> 1)) >> fraction_bits
    return rounded


def _as_bias_field(network: ChipNetwork, where: str, current: IntArray) -> IntArray:
    """Round each current to the nearest mantissa * 2**exponent, with the smallest exponent that holds it."""
    mantissa_max = network.bias_mantissa_max
    rounded = current.copy()
    for exponent in range(1, network.bias_exponent_max + 1):
        coarse = (current + (1 << exponent >> 1)) >> exponent
        too_large = np.abs(rounded) > mantissa_max << (exponent - 1)
        rounded[too_large] = coarse[too_large] << exponent
    largest = int(np.abs(rounded).max(initial=0))
    if largest > mantissa_max << network.bias_exponent_max:
        raise DataFileError(
            f"{where}: a sample's input current {largest:,} exceeds the bias field "
            f"({mantissa_max << network.bias_exponent_max:,}). Check --scale, --mean and --std against the data."
        )
    return rounded
