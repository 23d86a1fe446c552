"""Lava process of a population of count-gated maxima."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from mapping.neuron_models import PoolCounts
from nmdeploy.lava.neuron_rules import MaximumRule
from nmdeploy.lava.population_model import PopulationModel, PopulationProcess
from nmdeploy.lava.recording import Recording
from nmdeploy.lava.window_clock import WindowClock


class CountMaximum(PopulationProcess):
    """Count-gated maxima as `mapping.neuron_models` defines them: model "max_pool".

    The digits of ``a_in`` are the spikes of a neuron's synapses. The neuron counts them, and sends the change of the
    largest count, so that its own net spikes are that count in every step. It has no potential: ``potential`` and
    ``v_out`` are 0.

    Ports and Vars: see `nmdeploy.lava.population_model.PopulationProcess`.

    Parameters
    ----------
    shape : (int, int, int, int)
        Batch, rows, columns, channels.
    clock : WindowClock
        Without a lead.
    pool : PoolCounts
    exists : bool array, (digits, rows, columns, channels)
        From `mapping.pool_taps.existing_taps`.
    recording : Recording, optional
        Where results go; its files exist.
    name : str, optional

    Raises
    ------
    ValueError
        The clock has a lead.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int, int, int],
        clock: WindowClock,
        pool: PoolCounts,
        exists: NDArray[np.bool_],
        recording: Recording | None = None,
        name: str | None = None,
    ) -> None:
        nothing = np.zeros((1, 1, 1, 1, 1), dtype=np.int32)
        super().__init__(
            shape=shape,
            clock=clock,
            current=nothing,
            potential=nothing[0],
            wide=False,
            recording=recording,
            name=name,
            pool=pool,
            exists=exists,
        )
        if clock.lead:
            raise ValueError(f"maxima over counts on a clock with a lead of {clock.lead} steps; they have none")


@implements(proc=CountMaximum, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class CountMaximumModel(PopulationModel):
    """Neurons that hold the largest count of their synapses."""

    def rule(self) -> MaximumRule:
        """Of the synapses that exist."""
        given: Any = self.proc_params
        return MaximumRule(given["pool"], given["exists"])
