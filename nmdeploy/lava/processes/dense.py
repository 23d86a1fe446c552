"""Lava process of a fully connected projection."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from nmdeploy.lava.connection_model import ConnectionModel
from nmdeploy.simulator.products import exact_dtype


class Dense(AbstractProcess):
    """Every source neuron to every target neuron of a 1x1 population; takes ``1 + delay`` steps.

    Ports: ``s_in`` receives spikes in {-1, 0, 1}, (batch, rows, columns, channels); ``a_out`` sends int32
    currents in membrane units, (batch, 1, 1, out channels).

    Parameters
    ----------
    weights : integer array, (out channels, source channels, source rows, source columns)
    shift : int
        Left shift from a sum of weights to membrane units.
    delay : int
        Extra steps.
    batch : int
        Samples side by side.
    name : str, optional
    """

    def __init__(
        self,
        *,
        weights: NDArray[np.int32],
        shift: int = 0,
        delay: int = 0,
        batch: int = 1,
        name: str | None = None,
    ) -> None:
        out, channels, rows, columns = weights.shape
        super().__init__(shift=shift, delay=delay, target_channels=(0, out), name=name)
        self.s_in = InPort(shape=(batch, rows, columns, channels))
        self.a_out = OutPort(shape=(batch, 1, 1, out))
        self.weights = Var(shape=weights.shape, init=weights)


@implements(proc=Dense, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class DenseModel(ConnectionModel):
    """Multiplies exactly by the matrix whose rows lie in the order of the spikes in memory."""

    @cached_property
    def _linear(self) -> NDArray[np.floating[Any]]:
        dtype = exact_dtype(self.weights, input_max=1)
        matrix = self.weights.transpose(2, 3, 1, 0).reshape(-1, self.weights.shape[0])
        return np.ascontiguousarray(matrix, dtype=dtype)

    def product(self, spikes: NDArray[np.int8]) -> NDArray[np.floating[Any]]:
        """Exact sums of weights, (batch, 1, 1, out channels)."""
        flat = spikes.reshape(len(spikes), -1).astype(self._linear.dtype)
        sums: NDArray[np.floating[Any]] = flat @ self._linear
        return sums[:, None, None, :]
