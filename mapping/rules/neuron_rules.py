"""Rules NMD407 to NMD409: neurons are ones that exist, and the chip's spikes have the signs that they send."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import numpy as np

from mapping.network import Population, Projection
from mapping.neuron_models import CountMemory, PoolCounts, Release
from mapping.rules.evidence import Evidence, PlacedNetwork
from mapping.rules.rule import Rule, broken
from mapping.violation import Violation

DAMAGED = "The network is damaged or edited; compile anew"


def neuron_contradictory(evidence: PlacedNetwork) -> Iterator[Violation]:
    """What is said about a neuron belongs to one model."""
    refinement = evidence.network.refinement_steps
    if not 0 <= refinement < evidence.network.timesteps:
        yield broken("NMD407", "network", f"{refinement} refinement steps in its windows", DAMAGED)
    if not 0 <= evidence.network.read_out_step < evidence.network.timesteps:
        yield broken("NMD407", "network", f"outputs read from step {evidence.network.read_out_step} on", DAMAGED)
    for name, population in evidence.populations.items():
        for problem in model_problems(population):
            yield broken("NMD407", f"population {name}", problem, DAMAGED)
        if refinement and not refines(population):
            yield broken("NMD407", f"population {name}", f"{population.model} neurons with refinement steps", DAMAGED)
        if population.pool_counts is not None and any(evidence.network.input_currents(name)):
            yield broken("NMD407", f"population {name}", "input current into a maximum over counts", DAMAGED)


def refines(population: Population) -> bool:
    """Whether neurons can send spikes that stand for less, or send none."""
    if population.reset == "none" or population.pool_counts is not None:
        return True
    memory = population.count_memory
    return memory is not None and memory.sends_negative and not memory.shift_only


def model_problems(population: Population) -> Iterator[str]:
    """What no neuron can be at once, in words."""
    memory, pool = population.count_memory, population.pool_counts
    kinds = [memory is not None, pool is not None, population.negative_threshold is not None]
    if sum(kinds) > 1:
        yield "more than one of count memory, maximum over counts and negative threshold"
    if (memory is not None or pool is not None) and population.reset != "subtract":
        yield f"{population.model} neurons with reset {population.reset!r}, which they do not have"
    if memory is not None:
        yield from memory_problems(memory)
    if pool is not None:
        yield from pool_problems(population, pool)


def memory_problems(memory: CountMemory) -> Iterator[str]:
    """What no neuron with a count memory can do, in words."""
    yield from memory.problems()
    if memory.release not in get_args(Release):
        yield f"release {memory.release!r} unknown"


def pool_problems(population: Population, pool: PoolCounts) -> Iterator[str]:
    """What no maximum over counts has, in words."""
    if pool.base not in (2, 4):
        yield f"a maximum over counts of base {pool.base}, which is neither 2 nor 4"
    for field in ("threshold", "bias_mantissa", "initial_potential"):
        if getattr(population, field).any():
            yield f"a maximum over counts with {field.replace('_', ' ')}"
    if population.is_output:
        yield "a maximum over counts as an output"


def signed_spikes_not_offered(evidence: Evidence) -> Iterator[Violation]:
    """Spikes of -1 are sent only where the chip has them."""
    if evidence.profile.signed_spikes.value:
        return
    for name, population in evidence.named_populations.items():
        if population.sends_negative:
            message = f"{population.model} neurons send spikes of -1, which the chip does not have"
            remedy = "Use neurons that never take a spike back, or another target"
            yield broken("NMD408", f"population {name}", message, remedy)


def maximum_malformed(evidence: Evidence) -> Iterator[Violation]:
    """A maximum over counts can tell its synapses apart."""
    for name, population in evidence.populations.items():
        pool = population.pool_counts
        if pool is None or pool.base not in (2, 4):
            continue
        incoming = [projection for projection in evidence.projections if projection.target == name]
        sources = [projection.source for projection in evidence.edge_projections if projection.target == name]
        known = [evidence.named_populations[source] for source in sources if source in evidence.named_populations]
        signed = any(source.sends_negative for source in known)
        if known and signed != pool.sends_negative:
            sent = "-1, 0 or 1" if signed else "0 or 1"
            message = f"base {pool.base} for sources that send {sent}"
            yield broken("NMD409", f"population {name}", message, DAMAGED)
        if taken_twice(population, incoming):
            message = "several projections into the same channels"
            yield broken("NMD409", f"population {name}", message, DAMAGED)
        for projection in incoming:
            for problem in tap_problems(projection, pool, evidence.network.shift(projection)):
                yield broken("NMD409", f"projection {projection.name}", problem, DAMAGED)


def taken_twice(population: Population, incoming: list[Projection]) -> bool:
    """Whether a channel has several projections."""
    times = np.zeros(population.shape[0], dtype=np.int64)
    for projection in incoming:
        times[slice(*projection.connectivity.target_channels)] += 1
    return bool((times > 1).any())


def tap_problems(projection: Projection, pool: PoolCounts, shift: int) -> Iterator[str]:
    """Why the taps of a projection into a maximum cannot be told apart, in words."""
    _, inputs, rows, columns = projection.weights.shape
    if inputs != 1:
        yield f"{inputs} input channels for each channel of a maximum, which takes one"
        return
    powers = [pool.base**tap for tap in range(rows * columns)]
    if any(channel.ravel().tolist() != powers for channel in projection.weights):
        yield f"weights of a maximum that are not the powers of {pool.base} in order of the taps"
    if shift != 0:
        yield f"weights of a maximum shifted by {shift} bits"


CONTRADICTION_RULE: Rule[PlacedNetwork] = Rule(
    "NMD407",
    "neuron model contradictory",
    "A neuron has a count memory, takes a maximum over counts, has a negative threshold, or none of these. "
    "A count memory needs reset by subtraction, a lead needs pace, a slope release 'half' and no shifts; a "
    "maximum has no threshold, bias, input current or potential. Refinement and read-out lie within the window.",
    neuron_contradictory,
    source="The equations of the neurons: mapping.neuron_models.",
    remedy="The network is damaged or edited; compile anew.",
)
"""That of any chip of which cores take tiles."""

NEURON_RULES: tuple[Rule[Evidence], ...] = (
    CONTRADICTION_RULE,
    Rule(
        "NMD408",
        "signed spikes not offered",
        "Spikes of -1 need spikes that carry a value. On a chip without them they would arrive as spikes of 1.",
        signed_spikes_not_offered,
        figures=("signed_spikes",),
        remedy="Use neurons that never take a spike back, or another target.",
    ),
    Rule(
        "NMD409",
        "maximum malformed",
        "The neurons of a maximum over counts tell their synapses apart by weights that are the powers of a base: "
        "2 where sources send 0 or 1, 4 where they send -1 too. Each channel has one projection, each tap one "
        "weight, and nothing shifts them. That the weights fit their field says NMD301.",
        maximum_malformed,
        source="The equations of the neurons: mapping.neuron_models.",
        remedy="The network is damaged or edited; compile anew.",
    ),
)
