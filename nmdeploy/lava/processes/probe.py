"""Lava process that records a population made of Lava's own neurons."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyRefPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, RefPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from nmdeploy.lava.recording import Recorder, Recording
from nmdeploy.lava.window_clock import WindowClock


class Probe(AbstractProcess):
    """Records spikes, and potentials where the recording asks for them, in the windows of a population.

    How often potentials were cut off, the neurons do not tell; none are recorded.

    Ports: ``s_in`` receives spikes, ``potential`` refers to the neurons' potentials; both in Lava's order
    (columns, rows, channels).

    Parameters
    ----------
    shape : (int, int, int)
        Columns, rows, channels.
    clock : WindowClock
    recording : Recording
        Of batch 1; its files exist.
    name : str, optional
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int, int],
        clock: WindowClock,
        recording: Recording,
        name: str | None = None,
    ) -> None:
        super().__init__(clock=clock, recording=recording, name=name)
        self.s_in = InPort(shape=shape)
        self.potential = RefPort(shape=shape)


@implements(proc=Probe, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class ProbeModel(PyLoihiProcessModel):
    """Receives spikes while the neurons step, and reads potentials after they have."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    potential: PyRefPort = LavaPyType(PyRefPort.VEC_DENSE, np.int32, precision=24)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._clock: WindowClock = proc_params["clock"]
        self._recording: Recording = proc_params["recording"]

    @cached_property
    def _recorder(self) -> Recorder:
        return Recorder(self._recording, _neurons_last)

    def run_spk(self) -> None:
        """Receive the spikes of this step."""
        self._spikes = self.s_in.recv()
        if not self._recording.potentials:
            self._write(np.zeros_like(self._spikes))

    def post_guard(self) -> bool:
        """Whether potentials are wanted."""
        return self._recording.potentials

    def run_post_mgmt(self) -> None:
        """Read the potentials that this step has left."""
        self._write(self.potential.read())

    def _write(self, potential: NDArray[np.int32]) -> None:
        position = self._clock.position(self.time_step)
        if position is not None and position.firing_step is not None:
            self._recorder.write(position.window, position.firing_step, self._spikes, potential)


def _neurons_last(values: NDArray[np.int32]) -> NDArray[np.int32]:
    """(columns, rows, channels) to (1, neurons) in C order of (channels, rows, columns)."""
    return values.transpose(2, 1, 0).reshape(1, -1)
