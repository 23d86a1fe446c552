"""Lava process of a population of integrate-and-fire neurons."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from mapping.network import Reset
from nmdeploy.lava.neuron_rules import ThresholdRule
from nmdeploy.lava.population_model import PopulationModel, PopulationProcess
from nmdeploy.lava.recording import Recording
from nmdeploy.lava.window_clock import WindowClock


class IntegrateAndFire(PopulationProcess):
    """Integer integrate-and-fire neurons as `mapping.network` defines them.

    In each step of a window: ``v += a_in + current``, v saturates at +-`state_max`; +1 is sent where
    ``v >= threshold``, which takes `threshold` from v (or sets it to 0), -1 where
    ``v <= -negative_threshold``, which adds `negative_threshold` (or sets v to 0). Every window starts from
    `initial_potential`. Outside of its windows the population is idle: it loses what arrives, sends zeros and
    keeps its state.

    Ports and Vars: see `nmdeploy.lava.population_model.PopulationProcess`; besides, the Vars ``threshold`` and
    ``initial_potential``.

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
    wide : bool
        Keep potentials in 64 bits, where 32 might not hold `state_max` and what a step adds.
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
            reset=reset,
            negative_threshold=negative_threshold,
            state_max=state_max,
        )
        self.threshold = Var(shape=shape[3:], init=threshold)
        self.initial_potential = Var(shape=shape[3:], init=initial_potential)


@implements(proc=IntegrateAndFire, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class IntegrateAndFireModel(PopulationModel):
    """Neurons that fire by their potential alone."""

    threshold: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    initial_potential: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)

    def rule(self) -> ThresholdRule:
        """Of the thresholds and initial potentials in the Vars."""
        given = self.proc_params
        return ThresholdRule(
            given["reset"], self.threshold, given["negative_threshold"], self.initial_potential, given["state_max"]
        )
