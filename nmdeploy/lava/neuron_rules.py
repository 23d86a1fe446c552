"""What the neurons of each model do in a step of their window, on state that lies in a Lava process. Needs no Lava."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Population, Reset
from mapping.neuron_models import CountMemory, PoolCounts
from mapping.pool_taps import existing_taps
from mapping.tiles import Tile
from nmdeploy.lava.count_arithmetic import counted_spikes, largest_product
from nmdeploy.lava.integer_range import INT32_MAX
from nmdeploy.lava.neuron_arithmetic import fire, integrate, spread
from nmdeploy.lava.window_clock import FiringStep
from nmdeploy.simulator.pool_neurons import initial_counts, pooled_spikes

IntegerArray = NDArray[np.signedinteger[Any]]


class NeuronRule(ABC):
    """Neurons of one model, arrays (batch, rows, columns, channels).

    Parameters
    ----------
    initial_potential : integer array, (channels,)
        Of every window.
    """

    def __init__(self, initial_potential: IntegerArray) -> None:
        self.initial_potential = initial_potential

    def begin(self, batch: int) -> None:  # noqa: B027 - most rules have nothing to forget
        """Start a window of so many samples: forget what potential and net spikes do not hold."""

    @abstractmethod
    def integrate(self, potential: IntegerArray, current: IntegerArray, shift: int) -> NDArray[np.int64]:
        """Take in all input of one step; gives the number of potentials cut off in each sample, (batch,).

        Parameters
        ----------
        potential : integer array
            Changed in place.
        current : integer array
            In membrane units.
        shift : int
            The step weighs ``2**shift``. The integers of `potential` hold every sum with a current of that weight.
        """

    @abstractmethod
    def fire(
        self, potential: IntegerArray, net_spikes: NDArray[np.int32], firing: FiringStep
    ) -> NDArray[np.int8]:
        """Spikes of one firing step, in {-1, 0, 1}.

        Parameters
        ----------
        potential : integer array
            Changed in place.
        net_spikes : int32 array
            Sum of the spikes since the window began, each by the weight of its step.
        firing : FiringStep
        """


class ThresholdRule(NeuronRule):
    """Neurons that fire by their potential alone: models "if" and "imbalanced", and accumulators.

    Parameters
    ----------
    reset : {"subtract", "zero", "none"}
    threshold : integer array, (channels,)
    negative_threshold : integer array, (channels,), or None
        Positive magnitudes.
    initial_potential : integer array, (channels,)
    state_max : int
    """

    def __init__(
        self,
        reset: Reset,
        threshold: IntegerArray,
        negative_threshold: IntegerArray | None,
        initial_potential: IntegerArray,
        state_max: int,
    ) -> None:
        super().__init__(initial_potential)
        self._reset = reset
        self._threshold = threshold
        self._negative_threshold = negative_threshold
        self._state_max = state_max

    def integrate(self, potential: IntegerArray, current: IntegerArray, shift: int) -> NDArray[np.int64]:
        """Add and saturate."""
        return integrate(potential, current << shift if shift else current, self._state_max)

    def fire(
        self, potential: IntegerArray, net_spikes: NDArray[np.int32], firing: FiringStep
    ) -> NDArray[np.int8]:
        """Compare and reset."""
        return fire(potential, self._reset, self._threshold, self._negative_threshold)


class CountRule(NeuronRule):
    """Neurons with a count memory: models "paced" and "signed".

    Parameters
    ----------
    memory : CountMemory
        Its slope, if any, is that of these channels.
    threshold, initial_potential : integer arrays, (channels,)
    state_max : int
    """

    def __init__(
        self, memory: CountMemory, threshold: IntegerArray, initial_potential: IntegerArray, state_max: int
    ) -> None:
        super().__init__(initial_potential)
        self._memory = memory
        self._threshold = threshold
        self._state_max = state_max

    def integrate(self, potential: IntegerArray, current: IntegerArray, shift: int) -> NDArray[np.int64]:
        """Add and saturate."""
        return integrate(potential, current << shift if shift else current, self._state_max)

    def fire(
        self, potential: IntegerArray, net_spikes: NDArray[np.int32], firing: FiringStep
    ) -> NDArray[np.int8]:
        """Send one spike towards the count that is due; in 64 bits where 32 do not hold all products."""
        threshold = spread(self._threshold, potential)
        window = (firing.timesteps, firing.refinement_steps)
        largest = largest_product(self._memory, int(threshold.max()), self._state_max, *window)
        wide: type[np.signedinteger[Any]] = np.int32 if largest <= INT32_MAX else np.int64
        spikes = counted_spikes(
            self._memory,
            potential.astype(wide, copy=False),
            net_spikes.astype(wide, copy=False),
            threshold.astype(wide, copy=False),
            firing,
        )
        potential -= spikes * (threshold << firing.weight_shift)
        return spikes


class MaximumRule(NeuronRule):
    """Neurons that hold a maximum over the spike counts of their synapses: model "max_pool". They have no potential.

    Parameters
    ----------
    pool : PoolCounts
    exists : bool array, (digits, rows, columns, channels)
        From `mapping.pool_taps.existing_taps`.
    """

    def __init__(self, pool: PoolCounts, exists: NDArray[np.bool_]) -> None:
        super().__init__(np.zeros(exists.shape[-1], dtype=np.int64))
        self._pool = pool
        self._exists = exists

    def begin(self, batch: int) -> None:
        """Set all counts to 0."""
        self._counts = initial_counts(self._exists, batch)

    def integrate(self, potential: IntegerArray, current: IntegerArray, shift: int) -> NDArray[np.int64]:
        """Keep the digits for `fire`, which follows in the same step: these neurons have no lead."""
        self._arriving = current.astype(np.int64, copy=False)
        return np.zeros(len(current), dtype=np.int64)

    def fire(
        self, potential: IntegerArray, net_spikes: NDArray[np.int32], firing: FiringStep
    ) -> NDArray[np.int8]:
        """Count the spikes of each synapse, and send the change of the largest count."""
        return pooled_spikes(self._pool, self._arriving, self._counts, firing.weight_shift)


def neuron_rule(network: ChipNetwork, population: Population, tile: Tile) -> NeuronRule:
    """The rule of the neurons of a tile.

    Parameters
    ----------
    network : ChipNetwork
    population : Population
        Of the network.
    tile : Tile
        Of the population.
    """
    channels, rows, columns = slice(*tile.channels), slice(*tile.rows), slice(*tile.columns)
    if population.pool_counts is not None:
        exists = existing_taps(population, network.incoming(population.name))
        return MaximumRule(population.pool_counts, exists[:, rows, columns, channels])
    threshold, initial = population.threshold[channels], population.initial_potential[channels]
    if population.count_memory is not None:
        memory, slope = population.count_memory, population.count_memory.slope_mantissa
        of_tile = memory if slope is None else replace(memory, slope_mantissa=slope[channels])
        return CountRule(of_tile, threshold, initial, network.state_max)
    negative = population.negative_threshold
    negative = None if negative is None else negative[channels]
    return ThresholdRule(population.reset, threshold, negative, initial, network.state_max)
