"""Lava process of one core of a placement."""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Mapping, Sequence
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

from nmdeploy.lava.core_contents import SynapseSlice
from nmdeploy.lava.core_synapses import RunningSynapses
from nmdeploy.lava.tile_neurons import CoreVectors, TileNeurons

IN_PORT_PREFIX = "from_core_"


class Core(AbstractProcess):
    """Neurons and synapses of one core; computes in each step what a population and its projections would.

    Ports, n being the neurons of the core, tile after tile in the order of `mapping.tiles.Tile`:
    ``a_in`` receives int32 currents in membrane units, (batch, n), beside those of the core's own synapses;
    ``s_out`` sends spikes in {-1, 0, 1} and ``v_out`` the potentials that the step has left, (batch, n);
    ``from_core_N`` receives the ``s_out`` of core N, (batch, neurons of that core). What arrives there acts ``1 +
    delay`` steps later.
    Vars: ``potential``, ``spike_counts`` and ``net_spikes``, (batch, n), ``spikes`` and ``saturations`` as in
    `nmdeploy.lava.population_model.PopulationProcess`; ``weights``, those of all synapses one after the other.

    Parameters
    ----------
    neurons : sequence of TileNeurons
        In the order of the core's vectors.
    synapses : sequence of SynapseSlice
        Into these tiles.
    senders : mapping of int to int
        Number of neurons of each core that sends to this one, by the core's number.
    batch : int
        Samples side by side.
    wide : bool
        Keep potentials in 64 bits and not in 32.
    name : str, optional
    """

    def __init__(
        self,
        *,
        neurons: Sequence[TileNeurons],
        synapses: Sequence[SynapseSlice],
        senders: Mapping[int, int],
        batch: int = 1,
        wide: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(neurons=neurons, synapses=synapses, senders=senders, wide=wide, name=name)
        shape = (batch, sum(tile.placed.tile.neuron_count for tile in neurons))
        self.a_in = InPort(shape=shape)
        self.s_out = OutPort(shape=shape)
        self.v_out = OutPort(shape=shape)
        for core, size in senders.items():
            setattr(self, f"{IN_PORT_PREFIX}{core}", InPort(shape=(batch, size)))
        self.potential = Var(shape=shape, init=_initial_potential(neurons, shape))
        self.spike_counts = Var(shape=shape, init=0)
        self.net_spikes = Var(shape=shape, init=0)
        weights = np.concatenate([np.zeros(0, np.int32), *(part.weights.ravel() for part in synapses)])
        self.weights = Var(shape=weights.shape, init=weights)
        self.spikes = Var(shape=(1,), init=0)
        self.saturations = Var(shape=(1,), init=0)

    def in_port(self, core: int) -> InPort:
        """The port that receives the spikes of a core."""
        return getattr(self, f"{IN_PORT_PREFIX}{core}")


def _initial_potential(neurons: Sequence[TileNeurons], shape: tuple[int, int]) -> NDArray[np.int32]:
    potential = np.zeros(shape, dtype=np.int32)
    for tile in neurons:
        tile.placed.view(potential)[...] = tile.initial_potential
    return potential


class InPortOfEachSender(ABCMeta):
    """Declares the in-ports of a core, as many as there are.

    Lava wants every port of a process as a class attribute of its model, and every such attribute of the model as
    a port of the process, so that a class body could only declare one fixed number of them.
    """

    def __getattr__(cls, name: str) -> LavaPyType:
        if name.startswith(IN_PORT_PREFIX):
            return LavaPyType(PyInPort.VEC_DENSE, np.int8, precision=2)
        raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")


@implements(proc=Core, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class CoreModel(PyLoihiProcessModel, metaclass=InPortOfEachSender):
    """Steps its neurons, sends their spikes, then receives those of this step, which act in the next one."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int8, precision=2)
    v_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int64, precision=64)
    potential: NDArray[np.signedinteger[Any]] = LavaPyType(np.ndarray, np.int32, precision=24)
    spike_counts: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=32)
    net_spikes: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=32)
    weights: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=9)
    spikes: NDArray[np.int64] = LavaPyType(np.ndarray, np.int64, precision=64)
    saturations: NDArray[np.int64] = LavaPyType(np.ndarray, np.int64, precision=64)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._neurons: Sequence[TileNeurons] = proc_params["neurons"]
        self._senders: Sequence[int] = tuple(proc_params["senders"])

    @cached_property
    def _synapses(self) -> list[RunningSynapses]:
        return [RunningSynapses(part) for part in self.proc_params["synapses"]]

    @cached_property
    def _arriving(self) -> NDArray[np.int32]:
        """Currents of the core's synapses that act in this step."""
        return np.zeros(self.potential.shape, dtype=np.int32)

    @cached_property
    def _vectors(self) -> CoreVectors:
        if self.proc_params["wide"]:
            self.potential = self.potential.astype(np.int64)  # only now: Lava has one type for a Var of a class
        return CoreVectors(self.potential, self.spike_counts, self.net_spikes)

    def on_var_update(self) -> None:
        """Take over the weights that a user has set."""
        start = 0
        for running, part in zip(self._synapses, self.proc_params["synapses"], strict=True):
            end = start + part.weights.size
            running.set_weights(self.weights[start:end].reshape(part.weights.shape))
            start = end

    def run_spk(self) -> None:
        """Advance by one step of the global clock."""
        arriving = self._arriving + self.a_in.recv()
        sent = np.zeros(self.potential.shape, dtype=np.int8)
        for tile in self._neurons:
            self.saturations += tile.step(self.time_step, arriving, self._vectors, sent)
        self.spikes += np.count_nonzero(sent)
        self.s_out.send(sent)
        self.v_out.send(self.potential)
        messages = {core: getattr(self, f"{IN_PORT_PREFIX}{core}").recv() for core in self._senders}
        self._arriving[...] = 0
        for synapses in self._synapses:
            synapses.receive(messages, self._arriving)
