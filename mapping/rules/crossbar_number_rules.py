"""Rules NMD821 to NMD826 and NMD830: every number of a network on crossbars fits the field that the chip has for it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mapping.connectivity import Connectivity
from mapping.network import Population, Projection
from mapping.rules.crossbar_evidence import CrossbarEvidence
from mapping.rules.crossbar_numbering import IntArray
from mapping.rules.rule import Rule, broken
from mapping.violation import Violation

ANEW = "Quantise the network anew for this target"


def axon_types_wrong(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """Projections into the chip have axons of types that exist, those to the host none."""
    for projection in evidence.edge_projections:
        problem = None
        if projection.target in evidence.on_cores:
            problem = evidence.axon_type_problem(projection)
        elif projection.target in evidence.named_populations and projection.axon_types != ():
            problem = "axon types, but it runs to the host"
        if problem is not None:
            yield broken("NMD821", f"projection {projection.name}", problem, ANEW)


def type_weights_wrong(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """Neurons have a weight of their field for each type of their axons."""
    for name in evidence.countable_on_cores:
        for problem in type_weight_problems(evidence, name):
            yield broken("NMD822", f"population {name}", problem, ANEW)


def type_weight_problems(evidence: CrossbarEvidence, name: str) -> Iterator[str]:
    """What is wrong with the type weights of a population on the chip, in words."""
    population = evidence.populations[name]
    incoming = [one for one in evidence.into_chip if one.target == name and not evidence.axon_type_problem(one)]
    given, channels = population.type_weights, population.shape[0]
    if given is None:
        if incoming:
            yield "no weights for the types of its axons"
        return
    types, largest = evidence.profile.crossbar.axon_types.value, evidence.profile.number_formats.weight_max
    if not isinstance(given, np.ndarray) or not np.issubdtype(given.dtype, np.integer):
        yield "type weights that are no array of integers"
    elif given.ndim != 2 or given.shape[0] != channels or not 1 <= given.shape[1] <= types:
        yield f"type weights of shape {given.shape} for {channels} channels and 1 to {types} types"
    else:
        needed = max((max(projection.axon_types) for projection in incoming), default=0)
        if needed >= given.shape[1]:
            yield f"no weight for axons of type {needed}"
        outside = given[(given < -largest) | (given > largest)]
        if outside.size:
            yield f"{outside.size} type weights such as {outside[0]} outside +-{largest}"


def weight_not_a_sum(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """Every weight is a sum of the neuron's weights for the types of some of the axons."""
    sound = [name for name in evidence.countable_on_cores if not any(type_weight_problems(evidence, name))]
    longest = evidence.profile.crossbar.axons.value
    for projection in evidence.projections:
        if projection.target not in sound or evidence.axon_type_problem(projection):
            continue
        if len(projection.axon_types) > longest:  # no core has room for a single input
            continue
        if reads_twice(projection.connectivity):
            message = "neurons read an input through several taps, but a crossbar has one entry for both"
            yield broken("NMD823", f"projection {projection.name}", message, "Deal out the taps to several projections")
        illegal = weights_not_sums(projection, evidence.populations[projection.target])
        if illegal:
            channel, weight = illegal[0]
            message = (
                f"{len(illegal):,} weights such as {weight} of channel {channel} are no sum of its weights for axons "
                f"of types {', '.join(map(str, projection.axon_types))}"
            )
            yield broken("NMD823", f"projection {projection.name}", message, ANEW)


def reads_twice(table: Connectivity) -> bool:
    """Whether any target neuron reads a source neuron through more than one tap."""
    for places in (table.rows, table.columns):
        ordered = np.sort(places, axis=1)
        if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
            return bool((table.rows >= 0).any() and (table.columns >= 0).any())
    return False


def weights_not_sums(projection: Projection, population: Population) -> list[tuple[int, int]]:
    """Channel and value of weights that the axons of an input cannot give, each value of a channel once."""
    assert population.type_weights is not None
    illegal = []
    known: dict[tuple[int, ...], IntArray] = {}
    first = projection.connectivity.target_channels[0]
    for channel, weights in enumerate(projection.weights, start=first):
        row = population.type_weights[channel]
        of_axons = tuple(sorted(int(row[kind]) for kind in projection.axon_types))
        if of_axons not in known:
            known[of_axons] = sums(of_axons)
        wrong = weights[~np.isin(weights, known[of_axons])]
        illegal += [(channel, weight) for weight in np.unique(wrong).tolist()]
    return illegal


def sums(numbers: tuple[int, ...]) -> IntArray:
    """Sums over all subsets."""
    found = np.zeros(1, dtype=np.int64)
    for number in numbers:
        found = np.union1d(found, found + number)
    return found


def spiking(evidence: CrossbarEvidence) -> Iterator[tuple[str, Population]]:
    """Sound populations on the chip that spike, as all there should."""
    return ((name, one) for name, one in evidence.countable_on_cores.items() if one.reset != "none")


def threshold_outside_field(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """Thresholds are positive and fit their field."""
    largest = evidence.profile.number_formats.threshold_max
    for name, population in spiking(evidence):
        illegal = population.threshold[(population.threshold < 1) | (population.threshold > largest)]
        if illegal.size:
            message = f"{illegal.size} thresholds such as {illegal[0]} outside 1 to {largest}"
            remedy = "Scale the weights into the population so that its threshold fits"
            yield broken("NMD824", f"population {name}", message, remedy)


def leak_outside_field(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """Biases are leaks: one a channel, without exponent, within their field."""
    largest = evidence.profile.number_formats.leak_max
    for name, population in evidence.countable_on_cores.items():
        where, bias = f"population {name}", population.bias_mantissa
        if population.bias_exponent.any():
            yield broken("NMD825", where, "bias exponents other than 0, which crossbars do not have", ANEW)
        illegal = bias[(bias < -largest) | (bias > largest)]
        if illegal.size:
            message = f"{illegal.size:,} biases such as {illegal[0]} outside +-{largest}"
            yield broken("NMD825", where, message, "Scale the population's weights, threshold and bias down together")


def loaded_potential_wrong(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """What the host loads fits the state, and does not fire before the window begins."""
    largest = evidence.profile.number_formats.potential_max
    for name, population in spiking(evidence):
        # as Python's integers: start steps and biases may be anything
        initial = population.initial_potential.astype(object)[:, None, None]
        threshold = population.threshold[:, None, None]
        loaded = initial - int(population.start_step) * population.bias_mantissa.astype(object)
        for what, potentials in (("initial potentials", initial), ("loaded potentials", loaded)):
            for wrong, problem in (
                (np.abs(potentials) > largest, f"outside +-{largest}"),
                (potentials >= threshold, "at or above the threshold"),
            ):
                if wrong.any():
                    example = potentials[wrong.astype(np.bool_)][0]
                    message = f"{int(wrong.sum())} {what} such as {example} {problem}"
                    remedy = "Lower the biases or initial potentials, or scale the population down"
                    yield broken("NMD826", f"population {name}", message, remedy)


def formats_differ(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """The network's numbers are membrane units, and its potentials saturate where those of the chip do."""
    network, largest = evidence.network, evidence.profile.number_formats.potential_max
    pairs = {"state_max": (network.state_max, largest), "synapse_exponent": (network.synapse_exponent, 0)}
    for name, (value, expected) in pairs.items():
        if value != expected:
            message = f"{name} is {value}, but {expected} on profile {evidence.profile.name}"
            yield broken("NMD830", "network", message, "Compile anew for this target")
    for projection in evidence.into_chip:
        if projection.weight_exponent != 0:
            message = f"weight exponent {projection.weight_exponent}, which crossbars do not have"
            yield broken("NMD830", f"projection {projection.name}", message, ANEW)


CROSSBAR_NUMBER_RULES: tuple[Rule[CrossbarEvidence], ...] = (
    Rule(
        "NMD821",
        "axon types wrong",
        "A projection into the chip needs at least one axon for each input in a core, of types that the chip has; one "
        "to the host takes no axons.",
        axon_types_wrong,
        figures=("crossbar.axon_types",),
        remedy="Quantise the network anew for this target.",
    ),
    Rule(
        "NMD822",
        "type weights wrong",
        "A neuron has one signed weight for each axon type. All neurons of a channel have the same, within the field, "
        "and one for every type of the axons of their projections.",
        type_weights_wrong,
        figures=("number_formats.weight_bits", "crossbar.axon_types"),
        remedy="Quantise the network anew for this target.",
    ),
    Rule(
        "NMD823",
        "weight that no axons give",
        "Entries of a crossbar are 0 or 1: a weight is the sum of the neuron's weights for the types of some of the "
        "axons that the input drives, and 0 that of none. It is that of one tap: an input that a neuron reads through "
        "several of a projection would need several entries in one place.",
        weight_not_a_sum,
        source="A crossbar (mapping.axon_types): the sum of S[j, type(a)] over the axons a with an entry.",
        remedy="Quantise the network anew for this target.",
    ),
    Rule(
        "NMD824",
        "threshold outside its field",
        "Thresholds are positive and fit their field.",
        threshold_outside_field,
        figures=("number_formats.threshold_bits",),
        remedy="Scale the weights into the population so that its threshold fits.",
    ),
    Rule(
        "NMD825",
        "leak outside its field",
        "A bias on the chip is the leak of its neurons: a number of each, without exponent, within its field.",
        leak_outside_field,
        figures=("number_formats.leak_bits",),
        remedy="Scale the population's weights, threshold and bias down together.",
    ),
    Rule(
        "NMD826",
        "loaded potential does not wait",
        "The leak runs from step 0 on, before a population's own window. So the host loads the initial potential less "
        "the leak of all steps until then. Both must be potentials, and below the threshold, or the neuron would fire "
        "before its window.",
        loaded_potential_wrong,
        figures=("number_formats.potential_bits", "number_formats.threshold_bits"),
        source="Time steps (mapping.network): a population takes in nothing before its window.",
        remedy="Lower the biases or initial potentials, or scale the population down.",
    ),
    Rule(
        "NMD830",
        "made for other number formats than those of a crossbar",
        "Weights into the chip are membrane units, without exponents, and potentials saturate where the chip's do.",
        formats_differ,
        figures=("number_formats.potential_bits",),
        remedy="Compile anew for this target.",
    ),
)
