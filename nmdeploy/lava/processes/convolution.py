"""Lava process of a projection with any connectivity."""

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

from mapping.connectivity import Connectivity
from nmdeploy.lava.connection_model import ConnectionModel
from nmdeploy.simulator.products import Product, exact_dtype


class Convolution(AbstractProcess):
    """Synapses given by a `Connectivity`; takes ``1 + delay`` steps.

    Ports: ``s_in`` receives spikes in {-1, 0, 1}, (batch, source rows, source columns, source channels);
    ``a_out`` sends int32 currents in membrane units, (batch, target rows, target columns, target channels),
    zeros on the channels that take no part.

    Parameters
    ----------
    connectivity : Connectivity
    weights : integer array, `connectivity.weight_shape`
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
        connectivity: Connectivity,
        weights: NDArray[np.int32],
        shift: int = 0,
        delay: int = 0,
        batch: int = 1,
        name: str | None = None,
    ) -> None:
        super().__init__(
            connectivity=connectivity,
            shift=shift,
            delay=delay,
            target_channels=connectivity.target_channels,
            name=name,
        )
        source, target = connectivity.source_shape, connectivity.target_shape
        self.s_in = InPort(shape=(batch, source[1], source[2], source[0]))
        self.a_out = OutPort(shape=(batch, target[1], target[2], target[0]))
        self.weights = Var(shape=weights.shape, init=weights)


@implements(proc=Convolution, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class ConvolutionModel(ConnectionModel):
    """Gathers the receptive fields and multiplies exactly."""

    @cached_property
    def _linear(self) -> Product:
        dtype = exact_dtype(self.weights, input_max=1)
        return Product(self.proc_params["connectivity"], self.weights, dtype)

    def product(self, spikes: NDArray[np.int8]) -> NDArray[np.floating[Any]]:
        """Exact sums of weights, (batch, target rows, target columns, out channels)."""
        return self._linear(spikes)
