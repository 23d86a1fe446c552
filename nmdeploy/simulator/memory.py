"""How many samples, and how many steps of them, are computed at a time."""

from __future__ import annotations

from dataclasses import dataclass

from mapping.network import ChipNetwork
from nmdeploy.errors import NmdeployError
from nmdeploy.simulator.engine import Engine

FREE_SHARE = 4


@dataclass(frozen=True)
class Extent:
    """Samples computed side by side, and the steps of a round.

    Attributes
    ----------
    batch, round_steps : int
    """

    batch: int
    round_steps: int


def plan(
    engine: Engine, samples: int, timesteps: int, memory_bytes: int | None, round_steps: int | None = None
) -> Extent:
    """Choose the extent by the caches and the memory.

    Whole windows are preferred, then many samples; rounds get shorter where one sample's window is too much.

    Parameters
    ----------
    engine : Engine
    samples : int
        How many there are in all.
    timesteps : int
        Length of the window.
    memory_bytes : int, optional
        Not to be exceeded by what the simulation works with, the results not counted; a quarter of the free memory
        if not given.
    round_steps : int, optional
        A number of steps that is needed anyway.

    Raises
    ------
    NmdeployError
        Not even one step of one sample fits.
    """
    threads = max(1, min(engine.threads, samples))
    limit = (engine.free_memory_bytes // FREE_SHARE if memory_bytes is None else memory_bytes) // threads
    step_bytes = peak_step_bytes(engine)
    largest = max((engine.working_bytes(population) for population in engine.network.populations), default=1)
    preferred = max(1, engine.preferred_bytes // largest)
    steps = round_steps if round_steps is not None else min(timesteps, preferred)
    fitting = (limit - engine.state_bytes) // step_bytes
    if round_steps is None:
        steps = min(steps, fitting)
    if steps < 1 or fitting < steps:
        needed = threads * (engine.state_bytes + max(steps, 1) * step_bytes)
        raise NmdeployError(
            f"the simulation needs at least {needed:,} bytes of memory, and may take {limit * threads:,}. "
            "Allow more with --memory."
        )
    batch = min(preferred // steps, limit // (engine.state_bytes + steps * step_bytes), -(-samples // threads))
    return Extent(max(1, batch), steps)


def peak_step_bytes(engine: Engine) -> int:
    """Memory of one step of one sample at the population where it is largest, spikes that wait for it included."""
    network: ChipNetwork = engine.network
    waiting = dict(network.graph.out_degree())
    held = peak = 1
    for population in network.populations:
        peak = max(peak, held + engine.working_bytes(population))
        if waiting[population.name]:
            held += population.neuron_count
        for projection in network.incoming(population.name):
            waiting[projection.source] -= 1
            if waiting[projection.source] == 0:
                held -= network.population(projection.source).neuron_count
    return peak
