"""Files through which a population's results leave Lava; reading a Var costs 20 microseconds an element."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork

UNFINISHED = -1


@dataclass(frozen=True)
class Recording:
    """What one population records over all its windows, as memory-mapped ``.npy`` files.

    The files, neurons in C order of (channel, row, column):

    - ``STEM.counts.npy``: int64, (windows, batch, neurons), spikes of both signs in each window;
    - ``STEM.saturations.npy``: int64, (windows, batch, parts), cut-off potentials of each part of the population
      that a process of its own computes; `UNFINISHED` until the window is over, and written after everything
      else of the window;
    - ``STEM.trains.npy``: int8, (windows, batch, timesteps, neurons), if asked for;
    - ``STEM.potentials.npy``: int64, (windows, batch, timesteps, neurons), after each firing step, if asked for.

    Attributes
    ----------
    folder : Path
    stem : str
        Unique in the folder.
    windows, batch, timesteps, neurons : int
    spike_trains, potentials : bool
        Whether these are recorded.
    """

    folder: Path
    stem: str
    windows: int
    batch: int
    timesteps: int
    neurons: int
    spike_trains: bool = False
    potentials: bool = False

    def create(self, parts: int = 1) -> Recording:
        """Create the files, sparse, and return self.

        Parameters
        ----------
        parts : int
            Recorders that write to them.
        """
        self._create("counts", (self.windows, self.batch, self.neurons), np.int64)
        self._create_saturations(parts)
        every_step = (self.windows, self.batch, self.timesteps, self.neurons)
        if self.spike_trains:
            self._create("trains", every_step, np.int8)
        if self.potentials:
            self._create("potentials", every_step, np.int64)
        return self

    def _create(self, what: str, shape: tuple[int, ...], dtype: type) -> NDArray[Any]:
        values: NDArray[Any] = np.lib.format.open_memmap(  # type: ignore[no-untyped-call]
            self.path(what), mode="w+", dtype=dtype, shape=shape
        )
        return values

    def _create_saturations(self, parts: int) -> None:
        """Whole or not at all: whoever watches the run reads this file at any time."""
        unfinished = self.path("saturations").with_suffix(".new.npy")
        np.save(unfinished, np.full((self.windows, self.batch, parts), UNFINISHED, dtype=np.int64))
        unfinished.replace(self.path("saturations"))

    def path(self, what: str) -> Path:
        """File of "counts", "saturations", "trains" or "potentials"."""
        return self.folder / f"{self.stem}.{what}.npy"

    def read(self, what: str) -> NDArray[np.generic]:
        """The samples' results, windows and batch joined: (windows * batch, ...)."""
        values = np.load(self.path(what), mmap_mode="r")
        return np.asarray(values.reshape(self.windows * self.batch, *values.shape[2:]))

    @property
    def windows_finished(self) -> int:
        """Windows whose results are complete; the files must exist."""
        saturations = np.load(self.path("saturations"), mmap_mode="r")
        return int(np.count_nonzero((saturations != UNFINISHED).all(axis=(1, 2))))


def recordings_of(
    network: ChipNetwork, folder: Path, extent: tuple[int, int, int], spike_trains: bool
) -> dict[str, Recording]:
    """Recordings of all populations in a folder, with the potentials of the outputs.

    Parameters
    ----------
    network : ChipNetwork
    folder : Path
    extent : (int, int, int)
        Batch, windows, timesteps.
    spike_trains : bool
    """
    batch, windows, timesteps = extent
    return {
        population.name: Recording(
            folder,
            f"{index:05d}",
            windows,
            batch,
            timesteps,
            population.neuron_count,
            spike_trains=spike_trains,
            potentials=population.is_output,
        )
        for index, population in enumerate(network.populations)
    }


class Recorder:
    """Writes a `Recording` step by step; one lives in the worker of each part of the population.

    Parameters
    ----------
    recording : Recording
        Its files exist.
    part : int
        Number of this part of the population.
    neurons : slice or integer array, (neurons of this part,)
        Where they stand in the population, in the order that `in_order` gives.
    in_order : callable
        From what is written to (batch, neurons); only applied to what is kept.
    """

    def __init__(
        self,
        recording: Recording,
        in_order: Callable[[NDArray[Any]], NDArray[Any]],
        part: int = 0,
        neurons: slice | NDArray[np.intp] = slice(None),
    ) -> None:
        self._part, self._neurons, self._in_order = part, neurons, in_order
        self._counts = _writable(recording, "counts")
        self._saturations = _writable(recording, "saturations")
        self._trains = _writable(recording, "trains") if recording.spike_trains else None
        self._potentials = _writable(recording, "potentials") if recording.potentials else None
        self._last_step = recording.timesteps - 1
        self._window_counts: NDArray[np.int32] | None = None
        self._window_saturations = np.zeros(recording.batch, dtype=np.int64)

    def add_saturations(self, saturations: NDArray[np.int64]) -> None:
        """Count potentials that a step has cut off, (batch,); before `write` of the window's last firing step."""
        self._window_saturations += saturations

    def write(
        self,
        window: int,
        step: int,
        spikes: NDArray[np.signedinteger[Any]],
        potential: NDArray[np.signedinteger[Any]],
    ) -> None:
        """Record one firing step.

        Parameters
        ----------
        window, step : int
            Index of the window, and of the firing step in the window.
        spikes, potential : integer arrays, as `in_order` takes them
        """
        if self._window_counts is None:
            self._window_counts = np.zeros(spikes.shape, dtype=np.int32)
        self._window_counts += np.abs(spikes)
        if self._trains is not None:
            self._trains[window, :, step][:, self._neurons] = self._in_order(spikes)
        if self._potentials is not None:
            self._potentials[window, :, step][:, self._neurons] = self._in_order(potential)
        if step == self._last_step:
            self._counts[window][:, self._neurons] = self._in_order(self._window_counts)
            self._saturations[window, :, self._part] = self._window_saturations
            self._window_counts[...] = 0
            self._window_saturations[:] = 0


def _writable(recording: Recording, what: str) -> NDArray[Any]:
    values: NDArray[Any] = np.load(recording.path(what), mmap_mode="r+")
    return values
