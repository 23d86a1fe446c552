"""Lava process of a population of neurons that fire by their count of spikes."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from mapping.neuron_models import CountMemory
from nmdeploy.lava.neuron_rules import CountRule
from nmdeploy.lava.population_model import PopulationModel, PopulationProcess
from nmdeploy.lava.recording import Recording
from nmdeploy.lava.window_clock import WindowClock


class CountMemoryNeurons(PopulationProcess):
    """Neurons with a count memory as `mapping.neuron_models` defines them: models "paced" and "signed".

    While a window takes input: ``v += a_in + current``, v saturates at +-`state_max`. In its firing steps a spike is
    sent where the number of spikes so far (``net_spikes``) is not what all input so far is worth; it takes `threshold`
    from v, or adds it if it is one of -1.

    Ports and Vars: see `nmdeploy.lava.population_model.PopulationProcess`; besides, the Vars ``threshold`` and
    ``initial_potential``.

    Parameters
    ----------
    shape : (int, int, int, int)
        Batch, rows, columns, channels.
    clock : WindowClock
        With the lead of `memory`.
    current : integer array, (windows, batch or 1, rows, columns, channels)
        Bias and input current of the T steps that take input, of each window; taken in turn if there are more windows
        than here.
    memory : CountMemory
    threshold : int64 array, (channels,)
    initial_potential : int64 array, (channels,)
    state_max : int
    wide : bool
        Keep potentials in 64 bits, where 32 might not hold `state_max` and what a step adds.
    recording : Recording, optional
        Where results go; its files exist.
    name : str, optional

    Raises
    ------
    ValueError
        The lead of the clock is not that of the neurons.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int, int, int],
        clock: WindowClock,
        current: NDArray[np.signedinteger[Any]],
        memory: CountMemory,
        threshold: NDArray[np.int64],
        initial_potential: NDArray[np.int64],
        state_max: int = 2**23 - 1,
        wide: bool = False,
        recording: Recording | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            shape=shape,
            clock=clock,
            current=current,
            potential=initial_potential,
            wide=wide,
            recording=recording,
            name=name,
            memory=memory,
            state_max=state_max,
        )
        if clock.lead != memory.lead:
            raise ValueError(f"neurons with a lead of {memory.lead} steps on a clock with one of {clock.lead}")
        self.threshold = Var(shape=shape[3:], init=threshold)
        self.initial_potential = Var(shape=shape[3:], init=initial_potential)


@implements(proc=CountMemoryNeurons, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class CountMemoryModel(PopulationModel):
    """Neurons that follow the count that their input is worth."""

    threshold: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    initial_potential: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)

    def rule(self) -> CountRule:
        """Of the thresholds and initial potentials in the Vars."""
        given = self.proc_params
        return CountRule(given["memory"], self.threshold, self.initial_potential, given["state_max"])
