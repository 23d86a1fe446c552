"""Second moments of what the neurons of a projection read, from the float network: the Hessians of `gptq`.

The squared error of a linear map has the Hessian ``X^T X``, X having a row for each neuron position and sample: its
receptive field (im2col). All output channels of a group share it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity
from nmdeploy.simulator.products import read_pixels, receptive_fields
from nmdeploy.spiking.evaluate import activations
from nmdeploy.spiking.network import INPUT, FloatProjection, SpikingNetwork

FloatArray = NDArray[np.float64]

# Calibration samples that are looked at, and receptive fields of one projection, spread evenly over them.
SAMPLES = 128
FIELDS = 32768
# Inputs of one group beyond which they are split up, as if independent of each other: a moment is a matrix.
BLOCK = 4608
# What moments of several projections may take at a time; more are worked out by evaluating the network once more.
MOMENTS_BYTES = 512 * 2**20
# What activations and receptive fields may take at a time.
WORKING_BYTES = 64 * 2**20


def blocks(inputs: int) -> list[slice]:
    """Consecutive inputs of a group whose moments are worked out together, `BLOCK` at most."""
    return [slice(first, min(first + BLOCK, inputs)) for first in range(0, inputs, BLOCK)]


def inputs_per_group(table: Connectivity) -> int:
    """Number of inputs of a neuron: taps times channels of a group."""
    return table.rows.shape[1] * table.columns.shape[1] * (table.in_channels // table.groups)


class InputMoments:
    """Second moments of the inputs of each projection between populations, worked out when first asked for.

    Parameters
    ----------
    network : SpikingNetwork
        With the scales set.
    samples : float32 array, (samples, channels, rows, columns)
        Preprocessed; the first `SAMPLES` are used.
    """

    def __init__(self, network: SpikingNetwork, samples: NDArray[np.float32]) -> None:
        self._network = network
        self._samples = samples[:SAMPLES]
        self._held: dict[str, list[FloatArray]] = {}

    def take(self, name: str) -> list[FloatArray]:
        """The moments of a projection, which are then forgotten.

        Cheapest in the order of `SpikingNetwork.projections`.

        Returns
        -------
        list of float64 array, (groups, inputs, inputs)
            One for each of `blocks`; inputs in C order of (tap row, tap column, channel of the group). In units of the
            scales of the source, beyond which no rate goes.
        """
        if name not in self._held:
            self._held = self._collect(self._next(name))
        return self._held.pop(name)

    def _next(self, name: str) -> list[FloatProjection]:
        """The projection of this name and as many after it as memory allows."""
        wanted: list[FloatProjection] = []
        room = MOMENTS_BYTES
        for projection in self._network.projections:
            if projection.source == INPUT or self._network.population(projection.target).activation == "maximum":
                continue
            if wanted or projection.name == name:
                room -= _moments_bytes(projection.connectivity)
                if wanted and room < 0:
                    break
                wanted.append(projection)
        return wanted

    def _collect(self, wanted: list[FloatProjection]) -> dict[str, list[FloatArray]]:
        network = self._network
        sums = {projection.name: _zeros(projection.connectivity) for projection in wanted}
        neurons = sum(int(np.prod(population.shape)) for population in network.populations)
        batch = max(1, WORKING_BYTES // (4 * neurons))
        for first in range(0, len(self._samples), batch):
            waiting = {projection.name for projection in wanted}
            for population, values in activations(network, self._samples[first : first + batch]):
                read = [one for one in network.outgoing(population.name) if one.name in waiting]
                if read:
                    rates = population.activate(values) / population.scale.astype(np.float32)
                    np.clip(rates, -1.0, 1.0, out=rates)
                    for projection in read:
                        self._add(sums[projection.name], projection.connectivity, rates, first)
                        waiting.discard(projection.name)
                if not waiting:
                    break
        return sums

    def _add(
        self, sums: list[FloatArray], table: Connectivity, rates: NDArray[np.float32], first: int
    ) -> None:
        """Add the moments of some samples, the first of which is number `first` of all."""
        pixels = read_pixels(table)
        # every so-manieth field of a sample, beginning with another one in the next sample
        stride = -(-len(self._samples) * len(pixels) // FIELDS)
        for offset in range(stride):
            some = rates[(offset - first) % stride :: stride]
            for fields in _fields(table, some, pixels[offset::stride]):
                for total, part in zip(sums, blocks(inputs_per_group(table)), strict=True):
                    read = fields[:, :, part]
                    total += read.transpose(0, 2, 1) @ read


def _fields(
    table: Connectivity, rates: NDArray[np.float32], pixels: NDArray[np.intp]
) -> Iterable[NDArray[np.float32]]:
    """Receptive fields, (groups, fields, inputs), some samples at a time."""
    taps, per_group = pixels.shape[1], table.in_channels // table.groups
    batch = max(1, WORKING_BYTES // (4 * max(pixels.size, 1) * table.in_channels))
    for first in range(0, len(rates) if len(pixels) else 0, batch):
        fields = receptive_fields(table, rates[first : first + batch], pixels, np.float32)
        by_group = fields.reshape(-1, taps, table.groups, per_group).transpose(2, 0, 1, 3)
        yield by_group.reshape(table.groups, -1, taps * per_group)


def _zeros(table: Connectivity) -> list[FloatArray]:
    sizes = [part.stop - part.start for part in blocks(inputs_per_group(table))]
    return [np.zeros((table.groups, size, size)) for size in sizes]


def _moments_bytes(table: Connectivity) -> int:
    return sum(total.nbytes for total in _zeros(table))
