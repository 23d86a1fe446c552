"""Rules NMD827 and NMD828: crossbars compute plain neurons, and the host what crossbars cannot."""

from __future__ import annotations

from collections.abc import Iterator

from mapping.network import Population
from mapping.rules.crossbar_evidence import DAMAGED, CrossbarEvidence
from mapping.rules.rule import Rule, broken
from mapping.violation import Violation


def neuron_not_plain(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """Neurons on the chip integrate and fire, and nothing else; all spikes into the chip are 1."""
    for name, population in evidence.on_cores.items():
        if population.model != "if":
            message = f"neuron model {population.model!r}, which the chip does not have"
            yield broken("NMD827", f"population {name}", message, "Use 'if', or another target")
    for name in dict.fromkeys(projection.source for projection in evidence.into_chip):
        source = evidence.named_populations.get(name)
        if source is not None and source.on_host and source.sends_negative:
            message = "sends spikes of -1 into the chip, which does not have them"
            yield broken("NMD827", f"population {name}", message, "Use neurons that send 0 or 1")


def host_and_chip_mixed(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """The host computes what reads the sample and what counts outputs, and no core does."""
    for name, population in evidence.on_cores.items():
        for problem in chip_problems(evidence, name, population):
            yield broken("NMD828", f"population {name}", problem, "Let the host compute it")
    into_host = {one.target for one in evidence.edge_projections if one.source in evidence.on_cores}
    for name in dict.fromkeys(projection.source for projection in evidence.into_chip):
        if name in into_host and name not in evidence.on_cores:
            message = "reads spikes of the chip and sends into it, which the host cannot do within a step"
            yield broken("NMD828", f"population {name}", message, "Let cores compute it")
    for record in evidence.placement.cores:
        for tile in record.tiles:
            if tile.population in evidence.named_populations and tile.population not in evidence.on_cores:
                yield broken("NMD828", f"core {record.address}", f"tile {tile} of a population on the host", DAMAGED)


def chip_problems(evidence: CrossbarEvidence, name: str, population: Population) -> Iterator[str]:
    """Why crossbars cannot compute a population, in words."""
    if population.reset == "none":
        yield "an accumulator, whose potential no spike tells, on the chip"
    if population.is_output:
        yield "an output, which the host must count, on the chip"
    if any(evidence.network.input_currents(name)):
        yield "reads the sample, which is no spikes, on the chip"


CROSSBAR_NETWORK_RULES: tuple[Rule[CrossbarEvidence], ...] = (
    Rule(
        "NMD827",
        "neuron model not on crossbars",
        "Neurons on the chip integrate and fire: no negative threshold, count memory or maximum over counts. The host "
        "may compute others, but every spike that it sends into the chip is one.",
        neuron_not_plain,
        source="The chip takes in and gives out spikes without a value; leaks, weights and threshold are all it adds.",
        remedy="Use plain neurons, or another target.",
    ),
    Rule(
        "NMD828",
        "chip and host mixed up",
        "Crossbars take in and give out nothing but spikes: what reads the sample, accumulators and outputs are on the "
        "host, and have no tiles. What the host counts does not go back into the chip.",
        host_and_chip_mixed,
        source="Populations on the host: mapping.network.Population.on_host.",
        remedy="Let the host compute what reads samples and counts outputs, and cores all else.",
    ),
)
