"""Run samples through the integer network, population by population over many steps at once.

Because `mapping.network` balances every path that forms no cycle, the spikes of a source's step j meet the target's
step j. Populations can therefore be computed one after the other, all steps of the window at once: one exact product
over time x samples, then the threshold recurrence over time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork
from nmdeploy.errors import NmdeployError
from nmdeploy.simulator.early_exit import EarlyExit
from nmdeploy.simulator.engine import Engine
from nmdeploy.simulator.memory import plan
from nmdeploy.simulator.window import SimulationResult, Window, joined, steps_ahead

EngineName = Literal["auto", "numpy", "torch", "cuda"]
# Synaptic operations from which torch's speed is worth the seconds that importing it takes.
TORCH_OPERATIONS = 4_000_000_000


class Simulator:
    """Runs a network again and again; what it works out from the weights is kept between runs.

    Parameters
    ----------
    network : ChipNetwork
    engine : {"auto", "numpy", "torch", "cuda"}
        What computes; the results are equal. "auto" takes torch for long runs, or where it is imported already, and
        then the GPU if there is one.
    """

    def __init__(self, network: ChipNetwork, engine: EngineName = "auto") -> None:
        self._network = network
        self._name = engine
        self._plain: Engine | None = None
        self._compiled: Engine | None = None

    def run(
        self,
        samples: NDArray[np.float32],
        *,
        timesteps: int | None = None,
        record_spike_trains: bool = False,
        memory_bytes: int | None = None,
        check_interval: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> SimulationResult:
        """Simulate a batch of samples; see `simulate`."""
        network = self._network
        steps = network.timesteps if timesteps is None else timesteps
        early_exit, round_steps = None, None
        if check_interval is not None:
            early_exit = EarlyExit(network, steps)  # first, as it refuses a network that has no output
            round_steps = min(check_interval + max(steps_ahead(network).values()), steps)
        chosen = self.engine(steps * len(samples))
        extent = plan(chosen, len(samples), steps, memory_bytes, round_steps)

        def run_part(engine: Engine, part: NDArray[np.float32]) -> SimulationResult:
            window = Window(engine, part, steps, record_spike_trains=record_spike_trains)
            if check_interval is None or early_exit is None:
                return window.run(extent.round_steps)
            return window.run_until_decided(check_interval, early_exit)

        parts = [samples[start : start + extent.batch] for start in range(0, max(len(samples), 1), extent.batch)]
        results = []
        for result in chosen.run_all(run_part, parts, self._operations(steps * len(samples))):
            results.append(result)
            if progress is not None:
                progress(len(result.steps))
        return joined(results)

    def engine(self, sample_steps: int) -> Engine:
        """What computes a run of so many samples x steps."""
        short = self._operations(sample_steps) < TORCH_OPERATIONS and "torch" not in sys.modules
        if self._name == "numpy" or (self._name == "auto" and short):
            self._plain = self._plain or Engine(self._network)
            return self._plain
        self._compiled = self._compiled or _compiled_engine(self._network, self._name)
        return self._compiled

    def _operations(self, sample_steps: int) -> int:
        """Synapses of the network, once for each sample and step."""
        return sample_steps * sum(one.connectivity.synapse_count for one in self._network.projections)


def simulate(
    network: ChipNetwork,
    samples: NDArray[np.float32],
    *,
    timesteps: int | None = None,
    record_spike_trains: bool = False,
    engine: EngineName = "auto",
    memory_bytes: int | None = None,
    check_interval: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> SimulationResult:
    """Simulate a batch of samples.

    Parameters
    ----------
    network : ChipNetwork
    samples : float32 array, (samples, channels, rows, columns)
        Preprocessed.
    timesteps : int, optional
        Length of the window instead of the network's own.
    record_spike_trains : bool
        Keep every spike; needs memory for samples x timesteps x neurons bytes.
    engine : {"auto", "numpy", "torch", "cuda"}
        See `Simulator`, which is faster for one run after another.
    memory_bytes : int, optional
        What the simulation may work with, its results not counted; a quarter of the free memory if not given.
    check_interval : int, optional
        Early exit: after every so many steps of the output's window, samples whose decision no further spike can
        change leave. The counts are then what a chip has done when it is stopped after that step, the populations
        before the output having run ahead by their start steps.
    progress : callable, optional
        Called with the number of samples just finished.

    Raises
    ------
    DataFileError
        An input current does not fit the chip's bias field.
    NmdeployError
        One sample needs more memory than allowed, the network is not one that can be left early, or there is no GPU.
    """
    return Simulator(network, engine).run(
        samples,
        timesteps=timesteps,
        record_spike_trains=record_spike_trains,
        memory_bytes=memory_bytes,
        check_interval=check_interval,
        progress=progress,
    )


def _compiled_engine(network: ChipNetwork, name: EngineName) -> Engine:
    from nmdeploy.simulator.tensor_engine import gpu_engine  # torch takes seconds to import
    from nmdeploy.simulator.torch_engine import TorchEngine

    on_gpu = gpu_engine(network) if name != "torch" else None
    if name == "cuda" and on_gpu is None:
        raise NmdeployError("torch finds no GPU of CUDA here")
    return on_gpu or TorchEngine(network, thread_count())


def thread_count() -> int:
    """Processors that this process may use; where the system does not tell, all of them."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
