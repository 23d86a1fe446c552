"""The weights that the scale of a population is chosen for, and what rounding does to them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hw_profiles.profile import NumberFormats
from nmdeploy.quantize.weight_format import WeightField, level_unit, round_to_levels, weight_field
from nmdeploy.spiking.network import INPUT, SpikingNetwork

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class Synapses:
    """The weights of one projection between populations, which a population's scale is chosen for.

    Attributes
    ----------
    weights : float64 array, (O, I/groups, K_rows, K_columns)
        For thresholds of 1.
    channels : slice
        Target channels that they cover.
    field : WeightField
    """

    weights: FloatArray
    channels: slice
    field: WeightField

    @cached_property
    def widest(self) -> FloatArray:
        """Largest magnitude of each target channel, (O,)."""
        widest: FloatArray = np.maximum(np.abs(self.weights).max(axis=(1, 2, 3)), TINY)
        return widest

    @cached_property
    def count(self) -> IntArray:
        """Synapses of each target neuron that have a weight, (O,)."""
        return np.asarray(np.count_nonzero(self.weights, axis=(1, 2, 3)))

    @property
    def level_max(self) -> int:
        """Largest magnitude of a level."""
        return max(self.field.level_max, -self.field.level_min)

    def squared_error(self, scale: FloatArray, exponent: int, formats: NumberFormats) -> FloatArray:
        """What rounding to nearest leaves, clipped weights included.

        Parameters
        ----------
        scale : float64 array, (channels,)
            Membrane units that stand for 1, of the whole population.
        exponent : int
        formats : NumberFormats

        Returns
        -------
        float64 array, (O,)
            Sum over the weights of each target channel, in the unit of `weights`, squared.
        """
        factor = scale[self.channels, None, None, None]
        mantissas = round_to_levels(self.weights * factor, self.field, exponent, formats)
        delivered = mantissas * (level_unit(self.field, exponent, formats) / self.field.mantissa_step)
        errors: FloatArray = ((delivered / factor - self.weights) ** 2).sum(axis=(1, 2, 3))
        return errors


def incoming_synapses(
    network: SpikingNetwork, name: str, weights: dict[str, FloatArray], bits: int, formats: NumberFormats
) -> dict[str, Synapses]:
    """Synapses of every projection from a population into the population `name`, by the projection's name.

    Parameters
    ----------
    network : SpikingNetwork
    name : str
    weights : dict of projection name to float64 array, (O, I/groups, K_rows, K_columns)
        For thresholds of 1.
    bits : int
        One of ``formats.weight_bits``.
    formats : NumberFormats
    """
    return {
        one.name: Synapses(
            weights[one.name],
            slice(*one.connectivity.target_channels),
            weight_field(weights[one.name], bits, formats),
        )
        for one in network.incoming(name)
        if one.source != INPUT
    }
