"""The synapses of a core at work: spikes of other cores in, currents of the core's own neurons out."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmdeploy.lava.core_contents import SynapseSlice
from nmdeploy.simulator.products import Product, exact_dtype


class RunningSynapses:
    """One `SynapseSlice` and the spikes that wait in its delay.

    Parameters
    ----------
    synapses : SynapseSlice
    """

    def __init__(self, synapses: SynapseSlice) -> None:
        self._synapses = synapses
        self.set_weights(synapses.weights)
        self._waiting: deque[NDArray[np.int8]] = deque()

    def set_weights(self, weights: NDArray[np.int32]) -> None:
        """Multiply by other weights from now on; their shape is ``connectivity.weight_shape``."""
        self._product = Product(self._synapses.connectivity, weights, exact_dtype(weights, input_max=1))

    def receive(self, messages: Mapping[int, NDArray[np.int8]], currents: NDArray[np.int32]) -> None:
        """Take the spikes of one step, and add the currents that act in the next one.

        Parameters
        ----------
        messages : mapping of int to int8 array, (batch, neurons of that core)
            Spikes by core.
        currents : int32 array, (batch, neurons of this core)
            Changed in place.
        """
        self._waiting.append(self._gathered(messages, len(currents)))
        if len(self._waiting) <= self._synapses.delay:
            return
        spikes = self._waiting.popleft()
        if spikes.any():
            start, stop = self._synapses.connectivity.target_channels
            arriving = self._product(spikes).astype(np.int32) << self._synapses.shift
            self._synapses.target.view(currents)[..., start:stop] += arriving

    def _gathered(self, messages: Mapping[int, NDArray[Any]], batch: int) -> NDArray[np.int8]:
        source = self._synapses.connectivity.source_shape
        spikes = np.zeros((batch, source[1], source[2], source[0]), dtype=np.int8)
        for delivery in self._synapses.deliveries:
            (rows, columns, channels), taken = delivery.place, delivery.taken
            sent = delivery.tile.view(messages[delivery.core])
            spikes[:, rows, columns, channels] = sent[:, taken[0], taken[1], taken[2]]
        return spikes
