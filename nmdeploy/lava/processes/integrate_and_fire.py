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
from nmdeploy.lava.neuron_arithmetic import fire, integrate
from nmdeploy.lava.recording import Recorder, Recording
from nmdeploy.lava.window_clock import WindowClock
from nmdeploy.simulator.neurons import neurons_last


class IntegrateAndFire(AbstractProcess):
    """Integer integrate-and-fire neurons as `mapping.network` defines them.

    In each step of a window: ``v += a_in + current``, v saturates at +-`state_max`; +1 is sent where
    ``v >= threshold``, which takes `threshold` from v (or sets it to 0), -1 where
    ``v <= -negative_threshold``, which adds `negative_threshold` (or sets v to 0). Every window starts from
    `initial_potential`. Outside of its windows the population is idle: it loses what arrives, sends zeros and
    keeps its state.

    Ports, all of `shape`: ``a_in`` receives int32 currents in membrane units; ``s_out`` sends spikes in
    {-1, 0, 1}, and ``v_out`` the int32 potentials that the step has left.
    Vars: ``potential``; ``spike_counts``, spikes of both signs of each neuron since its window began, kept until
    the next one begins; ``spikes`` and ``saturations``, totals over all samples and steps so far.

    Parameters
    ----------
    shape : (int, int, int, int)
        Batch, rows, columns, channels.
    clock : WindowClock
    current : integer array, (windows, batch or 1, rows, columns, channels)
        Bias and input current of every step of each window; taken in turn if there are more windows than here.
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
        clock: WindowClock,
        current: NDArray[np.signedinteger[Any]],
        reset: Reset,
        threshold: NDArray[np.int64],
        initial_potential: NDArray[np.int64],
        negative_threshold: NDArray[np.int64] | None = None,
        state_max: int = 2**23 - 1,
        recording: Recording | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            clock=clock,
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
        self.v_out = OutPort(shape=shape)
        self.potential = Var(shape=shape, init=np.broadcast_to(initial_potential, shape))
        self.threshold = Var(shape=(channels,), init=threshold)
        self.initial_potential = Var(shape=(channels,), init=initial_potential)
        self.spike_counts = Var(shape=shape, init=0)
        self.spikes = Var(shape=(1,), init=0)
        self.saturations = Var(shape=(1,), init=0)


@implements(proc=IntegrateAndFire, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class IntegrateAndFireModel(PyLoihiProcessModel):
    """Computes one step in int32; `nmdeploy.lava.emit_layers` refuses networks whose sums could exceed that."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int8, precision=2)
    v_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    potential: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    threshold: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    initial_potential: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    spike_counts: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=32)
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
        return None if recording is None else Recorder(recording, neurons_last)

    def run_spk(self) -> None:
        """Advance by one step of the global clock."""
        arriving = self.a_in.recv()
        position = self._clock.position(self.time_step)
        if position is None:
            self.s_out.send(np.zeros(self.s_out.shape, dtype=np.int8))
            self.v_out.send(self.potential)
            return
        window, step = position
        if step == 0:
            self.potential[...] = self.initial_potential
            self.spike_counts[...] = 0
        current = arriving + self._current[window % len(self._current)]
        saturated = integrate(self.potential, current, self._state_max)
        sent = fire(self.potential, self._reset, self.threshold, self._negative_threshold)
        self.s_out.send(sent)
        self.v_out.send(self.potential)
        self.spike_counts += np.abs(sent)
        self.spikes += np.count_nonzero(sent)
        self.saturations += saturated.sum()
        if self._recorder is not None:
            self._recorder.write(window, step, sent, self.potential, saturated)
