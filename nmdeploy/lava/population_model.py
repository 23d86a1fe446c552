"""What the Lava processes of populations share: ports, Vars, and a step of the clock; the neurons differ."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from numpy.typing import NDArray

from nmdeploy.lava.neuron_part import NeuronPart, NeuronState, RecordedPart
from nmdeploy.lava.neuron_rules import NeuronRule
from nmdeploy.lava.recording import Recording
from nmdeploy.lava.window_clock import WindowClock


class PopulationProcess(AbstractProcess):
    """Neurons that go through windows: outside of them they lose what arrives, send zeros and keep their state.

    A window has ``T + lead`` steps. Input and bias act in the first T of them, and the neurons fire in the last T.
    Every window starts from the initial potential, without spikes.

    Ports, all of `shape`: ``a_in`` receives int32 currents in membrane units; ``s_out`` sends spikes in
    {-1, 0, 1}, and ``v_out`` the potentials that the step has left.
    Vars: ``potential``; ``spike_counts`` and ``net_spikes``, the spikes of each neuron since its window began, those
    of -1 counted as 1 and as -1 (``net_spikes`` by the weights of their steps, where a window has refinement steps),
    both kept until the next window begins; ``spikes`` and ``saturations``, totals over all samples and steps so far.

    Parameters
    ----------
    shape : (int, int, int, int)
        Batch, rows, columns, channels.
    clock : WindowClock
    current : integer array, (windows, batch or 1, rows, columns, channels)
        Bias and input current of every step of each window; taken in turn if there are more windows than here.
    potential : integer array, broadcastable to `shape`
        Before the first window.
    wide : bool
        Whether potentials are kept in 64 bits and not in 32.
    recording : Recording or None
        Where results go; its files exist.
    name : str or None
    parameters
        Whatever the model needs for its `PopulationModel.rule`.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int, int, int],
        clock: WindowClock,
        current: NDArray[np.signedinteger[Any]],
        potential: NDArray[np.signedinteger[Any]],
        wide: bool,
        recording: Recording | None,
        name: str | None,
        **parameters: Any,
    ) -> None:
        super().__init__(clock=clock, current=current, wide=wide, recording=recording, name=name, **parameters)
        self.a_in = InPort(shape=shape)
        self.s_out = OutPort(shape=shape)
        self.v_out = OutPort(shape=shape)
        self.potential = Var(shape=shape, init=np.broadcast_to(potential, shape))
        self.spike_counts = Var(shape=shape, init=0)
        self.net_spikes = Var(shape=shape, init=0)
        self.spikes = Var(shape=(1,), init=0)
        self.saturations = Var(shape=(1,), init=0)


class PopulationModel(PyLoihiProcessModel):
    """Computes a step in integers of 32 bits, or of 64 where those might not do; see `nmdeploy.lava.integer_range`."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int8, precision=2)
    v_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int64, precision=64)
    potential: NDArray[np.signedinteger[Any]] = LavaPyType(np.ndarray, np.int32, precision=24)
    spike_counts: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=32)
    net_spikes: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=32)
    spikes: NDArray[np.int64] = LavaPyType(np.ndarray, np.int64, precision=64)
    saturations: NDArray[np.int64] = LavaPyType(np.ndarray, np.int64, precision=64)

    def rule(self) -> NeuronRule:
        """What the neurons do; may hold arrays of Vars, which follow what a user sets."""
        raise NotImplementedError

    @cached_property
    def _neurons(self) -> NeuronPart:
        recording: Recording | None = self.proc_params["recording"]
        return NeuronPart(
            self.rule(),
            self.proc_params["clock"],
            self.proc_params["current"],
            None if recording is None else RecordedPart(recording),
        )

    @cached_property
    def _state(self) -> NeuronState:
        if self.proc_params["wide"]:
            self.potential = self.potential.astype(np.int64)  # only now: Lava has one type for a Var of a class
        return NeuronState(self.potential, self.spike_counts, self.net_spikes)

    def run_spk(self) -> None:
        """Advance by one step of the global clock."""
        stepped = self._neurons.step(self.time_step, self.a_in.recv(), self._state)
        sent = np.zeros(self.s_out.shape, dtype=np.int8) if stepped.spikes is None else stepped.spikes
        self.s_out.send(sent)
        self.v_out.send(self.potential)
        self.spikes += np.count_nonzero(sent)
        self.saturations += stepped.saturations
