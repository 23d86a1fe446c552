"""The neurons of one tile on a core: their parameters, and one step of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.network import Population, Reset
from nmdeploy.lava.core_contents import PlacedTile
from nmdeploy.lava.neuron_arithmetic import fire, integrate
from nmdeploy.lava.recording import Recorder, Recording
from nmdeploy.lava.window_clock import WindowClock


@dataclass(frozen=True)
class TileNeurons:
    """Neurons of one tile; their state lies in the vectors of their core, (batch, neurons of the core).

    Attributes
    ----------
    placed : PlacedTile
    clock : WindowClock
    reset : {"subtract", "zero", "none"}
    threshold, initial_potential : int64 arrays, (channels of the tile,)
    negative_threshold : int64 array, (channels of the tile,), or None
    current : integer array, (windows, batch or 1, rows, columns, channels of the tile)
        Bias and input current of each window, taken in turn.
    state_max : int
    recording : Recording or None
        Of the population; its files exist.
    part : int
        Number of the tile among those of the population.
    recorded : integer array, (neurons of the tile,)
        Where its neurons stand in the recording.
    """

    placed: PlacedTile
    clock: WindowClock
    reset: Reset
    threshold: NDArray[np.int64]
    negative_threshold: NDArray[np.int64] | None
    initial_potential: NDArray[np.int64]
    current: NDArray[np.signedinteger[Any]]
    state_max: int
    recording: Recording | None
    part: int
    recorded: NDArray[np.intp]

    @cached_property
    def _recorder(self) -> Recorder | None:
        return None if self.recording is None else Recorder(self.recording, _flat, self.part, self.recorded)

    def step(
        self,
        time_step: int,
        arriving: NDArray[np.int32],
        potential: NDArray[np.int32],
        spike_counts: NDArray[np.int32],
        sent: NDArray[np.int8],
    ) -> int:
        """Advance by one step; outside of its windows the tile is idle.

        Parameters
        ----------
        time_step : int
            As Lava counts: the first is 1.
        arriving : int32 array, (batch, neurons of the core)
            In membrane units.
        potential, spike_counts, sent : integer arrays, (batch, neurons of the core)
            The tile's part is changed in place; `sent` is zero before.

        Returns
        -------
        int
            Potentials cut off.
        """
        position = self.clock.position(time_step)
        if position is None:
            return 0
        window, step = position
        state, counts = self.placed.view(potential), self.placed.view(spike_counts)
        if step == 0:
            state[...] = self.initial_potential
            counts[...] = 0
        current = self.placed.view(arriving) + self.current[window % len(self.current)]
        saturated = integrate(state, current, self.state_max)
        spikes = fire(state, self.reset, self.threshold, self.negative_threshold)
        self.placed.view(sent)[...] = spikes
        counts += np.abs(spikes)
        if self._recorder is not None:
            self._recorder.write(window, step, spikes, state, saturated)
        return int(saturated.sum())


def _flat(values: NDArray[Any]) -> NDArray[Any]:
    return values.reshape(len(values), -1)


def tile_neurons(
    population: Population,
    placed: PlacedTile,
    clock: WindowClock,
    current: NDArray[np.signedinteger[Any]],
    state_max: int,
    recording: tuple[Recording, int] | None,
) -> TileNeurons:
    """Cut the neurons of a tile out of their population.

    Parameters
    ----------
    current : integer array, (windows, batch or 1, rows, columns, channels)
        Of the whole population.
    recording : (Recording, int), optional
        With the number of the tile among those of the population.
    """
    tile = placed.tile
    channels, rows, columns = slice(*tile.channels), slice(*tile.rows), slice(*tile.columns)
    numbers = np.arange(population.neuron_count).reshape(population.shape)[channels, rows, columns]
    negative = population.negative_threshold
    return TileNeurons(
        placed,
        clock,
        population.reset,
        population.threshold[channels],
        None if negative is None else negative[channels],
        population.initial_potential[channels],
        current[:, :, rows, columns, channels],
        state_max,
        None if recording is None else recording[0],
        0 if recording is None else recording[1],
        numbers.transpose(1, 2, 0).ravel(),
    )
