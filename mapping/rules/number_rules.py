"""Rules NMD301 to NMD310: every number fits the field that the chip has for it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mapping.rules.evidence import Evidence
from mapping.rules.rule import Rule, broken
from mapping.rules.synaptic_input import largest_input
from mapping.violation import Violation


def weight_outside_range(evidence: Evidence) -> Iterator[Violation]:
    """Mantissas are multiples of the group's step and within its range."""
    formats = evidence.profile.number_formats
    for projection in evidence.projections:
        bits = projection.weight_bits
        if bits not in formats.weight_bits.values:
            continue
        lost = formats.mixed_sign_lost_bits.value if projection.sign_mode == "mixed" else 0
        step = formats.mantissa_step(bits) << lost
        unsigned = (1 << bits) - 1
        ranges = {
            "mixed": (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
            "excitatory": (0, unsigned),
            "inhibitory": (-unsigned, 0),
        }
        where = f"projection {projection.name}"
        if projection.sign_mode not in ranges:
            yield broken("NMD301", where, f"sign mode {projection.sign_mode!r} unknown", "Use 'mixed'")
            continue
        low, high = (bound * step for bound in ranges[projection.sign_mode])
        weights = projection.weights
        # one condition after the other: there may be a hundred million weights
        wrong = weights < low
        wrong |= weights > high
        wrong |= weights % step != 0
        illegal = weights[wrong]
        if illegal.size:
            message = (
                f"{illegal.size:,} weight mantissas such as {illegal[0]} are no multiples of {step} in "
                f"[{low}, {high}], the {projection.sign_mode} weights of {bits} bits"
            )
            yield broken("NMD301", where, message, "Quantise the weights anew for this target")


def weight_bits_not_offered(evidence: Evidence) -> Iterator[Violation]:
    """The chip has weights of this width."""
    offered = evidence.profile.number_formats.weight_bits.values
    for projection in evidence.edge_projections:
        if projection.weight_bits not in offered:
            message = f"weights of {projection.weight_bits} bits, which the chip does not have"
            remedy = "Use --weight-bits " + ", ".join(map(str, offered))
            yield broken("NMD302", f"projection {projection.name}", message, remedy)


def weight_exponent_outside_range(evidence: Evidence) -> Iterator[Violation]:
    """The weight exponent fits its field, and the sum of mantissas is never shifted to the right."""
    formats = evidence.profile.number_formats
    low, high = formats.weight_exponent_min.value, formats.weight_exponent_max.value
    for projection in evidence.edge_projections:
        exponent = projection.weight_exponent
        if not low <= exponent <= high:
            message = f"weight exponent {exponent} outside [{low}, {high}]"
        elif evidence.network.shift(projection) < 0:
            message = f"weight exponent {exponent} shifts the sum of weights to the right, which loses bits"
        else:
            continue
        remedy = "Scale weights and threshold of its target by the same power of two"
        yield broken("NMD303", f"projection {projection.name}", message, remedy)


def threshold_not_representable(evidence: Evidence) -> Iterator[Violation]:
    """Thresholds fit their field."""
    formats = evidence.profile.number_formats
    step = 1 << formats.threshold_exponent.value
    largest = formats.threshold_mantissa_max.value * step
    # The chip spikes for v > threshold, the network for v >= threshold; see mapping.network.Population. Programs of
    # neurons with a count memory compare as the network does.
    one_above = {"subtract": 0, "zero": 1}
    for name, population in evidence.populations.items():
        if population.reset not in one_above or population.pool_counts is not None:
            continue
        above = one_above[population.reset] if population.count_memory is None else 0
        given = [population.threshold]
        if population.negative_threshold is not None:
            given.append(population.negative_threshold)
        thresholds = np.concatenate(given)
        illegal = thresholds[(thresholds <= 0) | ((thresholds - above) % step != 0) | (thresholds - above > largest)]
        if illegal.size:
            what = "one above a multiple" if above else "a multiple"
            message = (
                f"{illegal.size} thresholds such as {illegal[0]} are not positive, {what} of {step} and "
                f"at most {largest + above}"
            )
            remedy = "Scale the weights into the population so that its threshold fits"
            yield broken("NMD304", f"population {name}", message, remedy)


def reset_not_representable(evidence: Evidence) -> Iterator[Violation]:
    """The synapse by which a subtractive neuron resets itself can hold its threshold."""
    if not evidence.profile.core_costs.reset_synapses_per_subtractive_neuron.value:
        return
    formats = evidence.profile.number_formats
    step = 1 << formats.threshold_exponent.value
    largest = (1 << formats.weight_mantissa_bits.value) - 1
    for name, population in evidence.populations.items():
        if population.reset != "subtract" or population.model not in ("if", "imbalanced"):
            continue
        mantissas = population.threshold // step
        # The exponent takes as many factors of two as it can and the mantissa needs.
        for _ in range(formats.weight_exponent_max.value):
            mantissas = np.where((mantissas > largest) & (mantissas % 2 == 0), mantissas // 2, mantissas)
        illegal = population.threshold[mantissas > largest]
        if illegal.size:
            message = (
                f"{illegal.size} thresholds such as {illegal[0]} are no weight of at most {largest} times "
                f"{step} times 2**0 to 2**{formats.weight_exponent_max.value}, as the reset synapse needs"
            )
            remedy = "Round the threshold to such a number and scale the weights with it"
            yield broken("NMD305", f"population {name}", message, remedy)


def bias_outside_field(evidence: Evidence) -> Iterator[Violation]:
    """Bias mantissas and exponents fit their fields."""
    formats = evidence.profile.number_formats
    largest, exponent = formats.bias_mantissa_max.value, formats.bias_exponent_max.value
    for name, population in evidence.populations.items():
        mantissas = population.bias_mantissa[np.abs(population.bias_mantissa) > largest]
        exponents = population.bias_exponent[(population.bias_exponent < 0) | (population.bias_exponent > exponent)]
        for illegal, what, bound in (
            (mantissas, "mantissas", f"+-{largest}"),
            (exponents, "exponents", f"0..{exponent}"),
        ):
            if illegal.size:
                message = f"{illegal.size:,} bias {what} such as {illegal[0]} outside {bound}"
                remedy = "Scale the population's weights, threshold and bias down together"
                yield broken("NMD306", f"population {name}", message, remedy)


def initial_potential_outside_state(evidence: Evidence) -> Iterator[Violation]:
    """Initial potentials are potentials."""
    largest = evidence.profile.number_formats.state_max
    for name, population in evidence.populations.items():
        illegal = population.initial_potential[np.abs(population.initial_potential) > largest]
        if illegal.size:
            message = f"{illegal.size} initial potentials such as {illegal[0]} outside +-{largest}"
            yield broken("NMD307", f"population {name}", message, "Scale the population down")


def delay_outside_range(evidence: Evidence) -> Iterator[Violation]:
    """Delays fit their field."""
    largest = evidence.profile.number_formats.delay_max.value
    for projection in evidence.edge_projections:
        if not 0 <= projection.delay <= largest:
            message = f"delay of {projection.delay} steps outside 0..{largest}"
            remedy = "Shorten the longer path beside it, or put relay populations into this one"
            yield broken("NMD308", f"projection {projection.name}", message, remedy)


def synaptic_input_may_overflow(evidence: Evidence) -> Iterator[Violation]:
    """No spikes of one step can sum up to more than the state holds, where hardware would wrap around."""
    largest = evidence.profile.number_formats.state_max
    for name, population in evidence.populations.items():
        incoming = [projection for projection in evidence.projections if projection.target == name]
        bound = largest_input(population, incoming, evidence.network, evidence.populations)
        bound <<= max(evidence.network.refinement_steps, 0)
        if bound > largest:
            message = "synaptic input of one step if all inputs spike"
            remedy = "Lower the weight exponents of its projections, and its threshold with them"
            yield broken("NMD309", f"population {name}", message, remedy, bound, largest)


def formats_differ(evidence: Evidence) -> Iterator[Violation]:
    """The network was made for the number formats of this chip."""
    formats, network = evidence.profile.number_formats, evidence.network
    pairs = {
        "synapse_exponent": (network.synapse_exponent, formats.synapse_exponent.value),
        "threshold_exponent": (network.threshold_exponent, formats.threshold_exponent.value),
        "state_max": (network.state_max, formats.state_max),
        "bias_mantissa_max": (network.bias_mantissa_max, formats.bias_mantissa_max.value),
        "bias_exponent_max": (network.bias_exponent_max, formats.bias_exponent_max.value),
    }
    for name, (of_network, of_chip) in pairs.items():
        if of_network != of_chip:
            message = f"{name} is {of_network}, but {of_chip} in profile {evidence.profile.name}"
            yield broken("NMD310", "network", message, "Compile anew for this target")


NUMBER_RULES = (
    Rule(
        "NMD301",
        "weight outside its range",
        "A weight of n bits is a signed number in a mixed-sign group, and an unsigned one with the group's "
        "sign in an excitatory or inhibitory group, shifted to the top of the mantissa; mixed groups lose "
        "the lowest bit. With 8 bits on Loihi: even numbers from -256 to 254, 0 to 255, or -255 to 0.",
        weight_outside_range,
        figures=(
            "number_formats.weight_bits",
            "number_formats.weight_mantissa_bits",
            "number_formats.weights_at_top",
            "number_formats.mixed_sign_lost_bits",
        ),
        remedy="Quantise the weights anew for this target.",
    ),
    Rule(
        "NMD302",
        "weight bits not offered",
        "The synapse format has a fixed choice of weight widths.",
        weight_bits_not_offered,
        figures=("number_formats.weight_bits",),
        remedy="Use a --weight-bits that the target has.",
    ),
    Rule(
        "NMD303",
        "weight exponent outside its range",
        "Weights are scaled by a power of two with a field of its own; synapse and weight exponent together "
        "must not be negative, or the sum of weights would lose its lowest bits.",
        weight_exponent_outside_range,
        figures=(
            "number_formats.weight_exponent_min",
            "number_formats.weight_exponent_max",
            "number_formats.synapse_exponent",
        ),
        remedy="Scale weights and threshold of the target population by the same power of two.",
    ),
    Rule(
        "NMD304",
        "threshold not representable",
        "A threshold is a mantissa times a fixed power of two, and positive. The chip spikes above it, the "
        "network at it: with reset by subtraction the potential starts one unit higher, with reset to zero "
        "the network's threshold is one above what the chip holds. A maximum over counts has none.",
        threshold_not_representable,
        figures=("number_formats.threshold_mantissa_max", "number_formats.threshold_exponent"),
        remedy="Scale the weights into the population so that its threshold fits.",
    ),
    Rule(
        "NMD305",
        "reset synapse not representable",
        "A plain neuron that subtracts its threshold by a synapse to itself needs a weight of exactly that size: "
        "a mantissa of the weight's width times a power of two.",
        reset_not_representable,
        figures=(
            "core_costs.reset_synapses_per_subtractive_neuron",
            "number_formats.weight_mantissa_bits",
            "number_formats.weight_exponent_max",
            "number_formats.threshold_exponent",
        ),
        remedy="Round the threshold to such a number and scale the weights with it.",
    ),
    Rule(
        "NMD306",
        "bias outside its field",
        "A bias is a mantissa times a power of two, each with a field of its own.",
        bias_outside_field,
        figures=("number_formats.bias_mantissa_max", "number_formats.bias_exponent_max"),
        remedy="Scale the population's weights, threshold and bias down together.",
    ),
    Rule(
        "NMD307",
        "initial potential outside the state",
        "A potential that the state cannot hold cannot be set.",
        initial_potential_outside_state,
        figures=("number_formats.state_bits",),
        remedy="Scale the population down.",
    ),
    Rule(
        "NMD308",
        "delay outside its range",
        "A synapse delays its spikes by a limited number of steps. Delays balance paths of different length.",
        delay_outside_range,
        figures=("number_formats.delay_max",),
        remedy="Shorten the longer path beside it, or put relay populations into this one.",
    ),
    Rule(
        "NMD309",
        "synaptic input may overflow",
        "The synaptic input of one step is held in as many bits as the potential and wraps around. The "
        "bound takes, for each neuron, all taps that are no padding: the positive weights together and the "
        "negative ones together, or both where a source spikes with either sign.",
        synaptic_input_may_overflow,
        figures=("number_formats.state_bits",),
        remedy="Lower the weight exponents of the population's projections, and its threshold with them.",
    ),
    Rule(
        "NMD310",
        "made for other number formats",
        "The network holds the number formats that it was quantised for; they must be those of the chip.",
        formats_differ,
        figures=(
            "number_formats.synapse_exponent",
            "number_formats.threshold_exponent",
            "number_formats.state_bits",
            "number_formats.bias_mantissa_max",
            "number_formats.bias_exponent_max",
        ),
        remedy="Compile anew for this target.",
    ),
)
