"""Lava process of a population."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from mapping.network import Reset
from nmdeploy.lava.recording import Recorder, Recording
from nmdeploy.lava.window_clock import WindowClock


class IntegrateAndFire(AbstractProcess):
    """Integer integrate-and-fire neurons as `mapping.network` defines them.

    In each step of a window: ``v += a_in + current``, v saturates at +-`state_max`; +1 is sent where
    ``v >= threshold``, which takes `threshold` from v (or sets it to 0), -1 where
    ``v <= -negative_threshold``, which adds `negative_threshold` (or sets v to 0). Every window starts from
    `initial_potential`. Before its first window and after its last one the population is idle: it sends zeros
    and keeps its state.

    Ports: ``a_in`` receives int32 currents, ``s_out`` sends spikes in {-1, 0, 1}; both of `shape`.
    Vars: ``potential``; ``spikes`` and ``saturations``, totals over all samples and steps so far.

    Parameters
    ----------
    shape : (int, int, int, int)
        Batch, rows, columns, channels.
    timesteps : int
        Length of a window.
    windows : int
    start_step : int
        Global step, from 0, at which the first window starts.
    current : integer array, (windows, batch or 1, rows, columns, channels)
        Bias and input current of every step of each window.
    reset : {"subtract", "zero", "none"}
        With "none" the population integrates and never spikes.
    threshold : int64 array, (channels,)
    negative_threshold : int64 array, (channels,), optional
        Positive magnitudes.
    initial_potential : int64 array, (channels,)
    state_max : int
    recording : Recording, optional
        Where results go; its files exist.
    name : str, optional
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int, int, int],
        timesteps: int,
        windows: int,
        current: NDArray[np.signedinteger[Any]],
        reset: Reset,
        threshold: NDArray[np.int64],
        initial_potential: NDArray[np.int64],
        negative_threshold: NDArray[np.int64] | None = None,
        start_step: int = 0,
        state_max: int = 2**23 - 1,
        recording: Recording | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            clock=WindowClock(start_step, timesteps, windows),
            current=current,
            reset=reset,
            negative_threshold=negative_threshold,
            state_max=state_max,
            recording=recording,
            name=name,
        )
        channels = shape[3]
        self.a_in = InPort(shape=shape)
        self.s_out = OutPort(shape=shape)
        self.potential = Var(shape=shape, init=np.broadcast_to(initial_potential, shape))
        self.threshold = Var(shape=(channels,), init=threshold)
        self.initial_potential = Var(shape=(channels,), init=initial_potential)
        self.spikes = Var(shape=(1,), init=0)
        self.saturations = Var(shape=(1,), init=0)


@implements(proc=IntegrateAndFire, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class IntegrateAndFireModel(PyLoihiProcessModel):
    """Computes one step in int32; `nmdeploy.lava.build` refuses networks whose sums could exceed that."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int8, precision=2)
    potential: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    threshold: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    initial_potential: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    spikes: NDArray[np.int64] = LavaPyType(np.ndarray, np.int64, precision=64)
    saturations: NDArray[np.int64] = LavaPyType(np.ndarray, np.int64, precision=64)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._clock: WindowClock = proc_params["clock"]
        self._current: NDArray[np.signedinteger[Any]] = proc_params["current"]
        self._reset: Reset = proc_params["reset"]
        self._negative_threshold: NDArray[np.int64] | None = proc_params["negative_threshold"]
        self._state_max: int = proc_params["state_max"]

    @cached_property
    def _recorder(self) -> Recorder | None:
        recording: Recording | None = self.proc_params["recording"]
        return None if recording is None else Recorder(recording)

    def run_spk(self) -> None:
        """Advance by one step of the global clock."""
        arriving = self.a_in.recv()
        position = self._clock.position(self.time_step)
        if position is None:
            self.s_out.send(np.zeros(self.s_out.shape, dtype=np.int8))
            return
        window, step = position
        if step == 0:
            self.potential[...] = self.initial_potential
        saturated = self._integrate(arriving, window)
        sent = self._fire()
        self.s_out.send(sent)
        self.spikes += np.count_nonzero(sent)
        self.saturations += saturated.sum()
        if self._recorder is not None:
            self._recorder.write(window, step, neurons_last(sent), neurons_last(self.potential), saturated)

    def _integrate(self, arriving: NDArray[np.int32], window: int) -> NDArray[np.int64]:
        """Add the currents and saturate; the number of saturated neurons of each sample."""
        self.potential += arriving
        self.potential += self._current[window].astype(np.int32)
        saturated = np.count_nonzero(np.abs(self.potential) > self._state_max, axis=(1, 2, 3))
        np.clip(self.potential, -self._state_max, self._state_max, out=self.potential)
        return np.asarray(saturated, dtype=np.int64)

    def _fire(self) -> NDArray[np.int8]:
        """Spikes of this step, after which the potential is reset."""
        sent = np.zeros(self.potential.shape, dtype=np.int8)
        if self._reset == "none":
            return sent
        sent[self.potential >= self.threshold] = 1
        change = np.where(sent == 1, -self.threshold, 0)
        if self._negative_threshold is not None:
            negative = (self.potential <= -self._negative_threshold) & (sent == 0)
            sent[negative] = -1
            change = np.where(negative, self._negative_threshold, change)
        if self._reset == "zero":
            self.potential[sent != 0] = 0
        else:
            self.potential += change.astype(np.int32)
        return sent


def neurons_last(values: NDArray[Any]) -> NDArray[Any]:
    """(batch, rows, columns, channels) to (batch, neurons) in C order of (channels, rows, columns)."""
    return values.transpose(0, 3, 1, 2).reshape(len(values), -1)
