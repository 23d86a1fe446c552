"""Rules NMD401 to NMD406: the network is sound and one that the chip has neurons for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from mapping.network import InputProjection, Population, Projection
from mapping.rules.evidence import Evidence, PlacedNetwork, population_problems
from mapping.rules.rule import Rule, broken
from mapping.violation import Violation


def unknown_parts(evidence: PlacedNetwork) -> Iterator[Violation]:
    """Nodes are populations and edges projections, by the same names; projections join known populations."""
    for where, message in (*misnamed_populations(evidence), *misnamed_projections(evidence)):
        yield broken("NMD401", where, message, "The network is damaged or edited; compile anew")


def misnamed_populations(evidence: PlacedNetwork) -> Iterator[tuple[str, str]]:
    """Yield nodes that hold no population or one of another name, and inputs that run to none."""
    for name, data in evidence.network.graph.nodes(data=True):
        population = data.get("population")
        if not isinstance(population, Population):
            yield f"population {name}", "the network has no data for it"
        elif population.name != name:
            yield f"population {name}", f"its data are those of population {population.name!r}"
    for given in evidence.network.input_projections:
        if given.target not in evidence.named_populations:
            message = f"runs to population {given.target!r}, which the network does not have"
            yield f"input projection {given.name}", message


def misnamed_projections(evidence: PlacedNetwork) -> Iterator[tuple[str, str]]:
    """Yield edges that hold no projection or one between others, and names given twice."""
    for source, target, data in evidence.network.graph.edges(data=True):
        projection = data.get("projection")
        if not isinstance(projection, Projection):
            yield f"projection {source} to {target}", "the network has no data for it"
        elif (projection.source, projection.target) != (source, target):
            message = f"runs from {projection.source} to {projection.target} but joins {source} and {target}"
            yield f"projection {projection.name}", message
    names = Counter(projection.name for projection in evidence.edge_projections)
    for name, count in names.items():
        if count > 1:
            yield f"projection {name}", f"{count} projections have this name"


def connectivity_malformed(evidence: PlacedNetwork) -> Iterator[Violation]:
    """Connectivity fits its populations and weights fit the connectivity."""
    projections: list[Projection | InputProjection] = [
        *evidence.edge_projections,
        *evidence.network.input_projections,
    ]
    for projection in projections:
        for problem in evidence.projection_problems(projection):
            remedy = "The network is damaged or edited; compile anew"
            yield broken("NMD402", f"projection {projection.name}", problem, remedy)


def delays_unbalanced(evidence: PlacedNetwork) -> Iterator[Violation]:
    """Spikes of the source's firing step j arrive in step j of the target's window."""
    for projection in evidence.edge_projections:
        source = evidence.named_populations.get(projection.source)
        target = evidence.named_populations.get(projection.target)
        if source is None or target is None:
            continue
        arrival = source.firing_start_step + 1 + projection.delay
        if target.start_step != arrival:
            message = f"its first spikes arrive in step {arrival}, but {target.name} starts in {target.start_step}"
            remedy = "Set the delay so that all paths into the population take equally long"
            yield broken("NMD403", f"projection {projection.name}", message, remedy)


def neuron_model_not_offered(evidence: Evidence) -> Iterator[Violation]:
    """The chip has the neuron model."""
    offered = evidence.profile.neuron_models.names
    for name, population in evidence.named_populations.items():
        if population.model not in offered:
            message = f"neuron model {population.model!r}, which the chip does not have"
            remedy = f"Use {' or '.join(offered)}, or another target"
            yield broken("NMD404", f"population {name}", message, remedy)


def reset_not_offered(evidence: PlacedNetwork) -> Iterator[Violation]:
    """The chip has the reset mode; accumulators never reset and need none."""
    offered = evidence.profile.reset_modes.names
    for name, population in evidence.on_cores.items():
        if population.reset not in (*offered, "none"):
            message = f"reset mode {population.reset!r}, which the chip does not have"
            remedy = f"Use {' or '.join(offered)}, or another target"
            yield broken("NMD405", f"population {name}", message, remedy)


def population_malformed(evidence: PlacedNetwork) -> Iterator[Violation]:
    """Arrays of a population have the shapes that they must have."""
    for name, population in evidence.named_populations.items():
        for problem in population_problems(population):
            remedy = "The network is damaged or edited; compile anew"
            yield broken("NMD406", f"population {name}", problem, remedy)


SOUND_NETWORK_RULES: tuple[Rule[PlacedNetwork], ...] = (
    Rule(
        "NMD401",
        "graph and data disagree",
        "Nodes of the network's graph are populations and its edges projections between them; each must "
        "have its data, under the same and a unique name.",
        unknown_parts,
        source="The types of the network's parts: mapping.network, mapping.connectivity.",
        remedy="The network is damaged or edited; compile anew.",
    ),
    Rule(
        "NMD402",
        "connectivity or weights malformed",
        "The index tables of a projection must point into its source, have a row for each target row and "
        "column, take channels that exist, and the weights must have the shape that follows.",
        connectivity_malformed,
        source="The types of the network's parts: mapping.network, mapping.connectivity.",
        remedy="The network is damaged or edited; compile anew.",
    ),
    Rule(
        "NMD403",
        "delays unbalanced",
        "Each population works on a sample in a window of its own. A projection takes one step and its "
        "delay; the window of its target must start just so much later than its source's first firing step, "
        "which is the first step of its window or, with a lead, so many steps later; on every path.",
        delays_unbalanced,
        source="Time steps (mapping.network): a projection delivers at step t what its source sent at t - 1.",
        remedy="Set the delay so that all paths into the population take equally long.",
    ),
    Rule(
        "NMD405",
        "reset mode not offered",
        "The chip must have the reset mode. Accumulators, of reset 'none', never spike and are always allowed.",
        reset_not_offered,
        figures=("reset_modes",),
        remedy="Use a reset mode that the target has (--reset), or another target.",
    ),
    Rule(
        "NMD406",
        "population malformed",
        "Thresholds, biases, initial potentials and slopes must be integers, one for each channel or neuron, and no "
        "window starts before step 0.",
        population_malformed,
        source="The types of the network's parts: mapping.network, mapping.connectivity.",
        remedy="The network is damaged or edited; compile anew.",
    ),
)
"""Those of any chip of which cores take tiles."""

NEURON_MODEL_RULE: Rule[Evidence] = Rule(
    "NMD404",
    "neuron model not offered",
    "The neurons of the network must be ones that the chip has.",
    neuron_model_not_offered,
    figures=("neuron_models",),
    remedy="Use a neuron model that the target has, or another target.",
)

NETWORK_RULES: tuple[Rule[Evidence], ...] = tuple(
    sorted((*SOUND_NETWORK_RULES, NEURON_MODEL_RULE), key=lambda rule: rule.code)
)
