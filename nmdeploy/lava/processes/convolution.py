"""Lava process of a projection with any connectivity."""

from __future__ import annotations

from collections.abc import Callable
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
    compiled : bool
        Multiply with torch's kernels: for long runs, as each process has to load them.
    signed : bool
        Whether spikes of -1 come, which torch's fastest kernel does not take.
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
        compiled: bool = False,
        signed: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(
            connectivity=connectivity,
            shift=shift,
            delay=delay,
            target_channels=connectivity.target_channels,
            compiled=compiled,
            signed=signed,
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
    """Gathers the receptive fields and multiplies exactly, or lets torch do it."""

    @cached_property
    def _linear(self) -> Callable[[NDArray[np.int8]], NDArray[np.floating[Any]]]:
        connectivity: Connectivity = self.proc_params["connectivity"]
        if self.proc_params["compiled"]:
            from nmdeploy.simulator.fast_products import product_of_one_thread  # torch takes seconds to import

            return product_of_one_thread(connectivity, self.weights, binary=not self.proc_params["signed"])
        return Product(connectivity, self.weights, exact_dtype(self.weights, input_max=1))

    def product(self, spikes: NDArray[np.int8]) -> NDArray[np.floating[Any]]:
        """Exact sums of weights, (batch, target rows, target columns, out channels)."""
        return self._linear(spikes)
