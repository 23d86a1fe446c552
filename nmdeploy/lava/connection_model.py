"""What the models of all connection processes share: one step for every projection, and its extra delay."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from numpy.typing import NDArray


class ConnectionModel(PyLoihiProcessModel):
    """Sends the currents of the previous step's spikes, then receives, as Lava's own connection processes do.

    The currents are ``product(spikes) << shift``, `delay` steps later than that; a projection takes ``1 +
    delay`` steps.
    """

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int8, precision=2)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=32)
    weights: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=9)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._shift: int = proc_params["shift"]
        self._delay: int = proc_params["delay"]
        self._waiting: deque[NDArray[np.int8]] = deque()
        self._currents: NDArray[np.int32] | None = None

    def product(self, spikes: NDArray[np.int8]) -> NDArray[np.floating[Any]]:
        """Exact sums of weights, (batch, target rows, target columns, out channels)."""
        raise NotImplementedError

    def on_var_update(self) -> None:
        """Forget what was computed from the weights before a user set them."""
        self.__dict__.pop("_linear", None)

    def run_spk(self) -> None:
        """Advance by one step."""
        if self._currents is None:
            self._currents = np.zeros(self.a_out.shape, dtype=np.int32)
        self.a_out.send(self._currents)
        self._waiting.append(self.s_in.recv())
        if len(self._waiting) <= self._delay:
            return
        spikes = self._waiting.popleft()
        # other channels of the target keep their zeros
        currents = self._currents[..., slice(*self.proc_params["target_channels"])]
        if spikes.any():
            np.left_shift(self.product(spikes).astype(np.int32), self._shift, out=currents)
        else:
            currents[...] = 0
