"""How many samples, and how many steps of them, are computed at a time."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from mapping.network import ChipNetwork
from nmdeploy.errors import NmdeployError
from nmdeploy.simulator.engine import Engine
from nmdeploy.simulator.window import steps_needed_ahead

FREE_SHARE = 4
# Steps of a round, if the window has as many, for which the caches are given up: in fewer, the time goes into calls and
# weights. YOLOv3-tiny, whose first map is 2.8 million neurons, takes twice the time in rounds of one step.
LEAST_ROUND = 8


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
    state_bytes = engine.state_bytes
    largest = max((engine.working_bytes(population) for population in engine.network.populations), default=1)
    preferred = max(1, engine.preferred_bytes // largest)
    if round_steps is None:
        steps = min(timesteps, max(preferred, LEAST_ROUND))
        sample_bytes = state_bytes + round_bytes(engine, steps, timesteps)
        if sample_bytes > limit:
            wanted, room = range(1, steps), limit - state_bytes
            steps = max(bisect_right(wanted, room, key=lambda steps: round_bytes(engine, steps, timesteps)), 1)
            sample_bytes = state_bytes + round_bytes(engine, steps, timesteps)
    else:
        steps = round_steps
        # populations are as far ahead as on the chip's clock, which these steps hold
        sample_bytes = state_bytes + round_bytes(engine, steps, steps)
    if sample_bytes > limit:
        raise NmdeployError(
            f"the simulation needs at least {threads * sample_bytes:,} bytes of memory, and may take "
            f"{limit * threads:,}. Allow more with --memory."
        )
    batch = min(preferred // steps, limit // sample_bytes, -(-samples // threads))
    return Extent(max(1, batch), steps)


def round_bytes(engine: Engine, steps: int, timesteps: int) -> int:
    """Memory of a round for one sample at the population where it is largest, spikes that wait for it included.

    Parameters
    ----------
    engine : Engine
    steps : int
        Of the last populations; those before them are ahead where their targets have a lead.
    timesteps : int
        Length of the window, which nobody passes.
    """
    network: ChipNetwork = engine.network
    advancing = {name: min(steps + ahead, timesteps) for name, ahead in steps_needed_ahead(network).items()}
    waiting = dict(network.graph.out_degree())
    held = peak = 1
    for population in network.populations:
        peak = max(peak, held + engine.working_bytes(population) * advancing[population.name])
        if waiting[population.name]:
            held += population.neuron_count * advancing[population.name]
        for projection in network.incoming(population.name):
            waiting[projection.source] -= 1
            if waiting[projection.source] == 0:
                held -= network.population(projection.source).neuron_count * advancing[projection.source]
    return peak
