"""Rules NMD201 to NMD211: what a core needs, counted anew, is no more than it has."""

from __future__ import annotations

from collections.abc import Iterator

from mapping.rules.evidence import Evidence
from mapping.rules.rule import Rule, broken
from mapping.tiles import LIMIT_NAMES
from mapping.violation import Violation


def over_capacity(evidence: Evidence, name: str, remedy: str) -> Iterator[Violation]:
    """Yield the cores that need more of one capacity than there is; none where the chip does not limit it."""
    limit = getattr(evidence.profile.core_limits, name)
    if limit is None:
        return
    capacity = limit.value
    for record, demands in evidence.cores_with_demands():
        demand = getattr(demands, name)
        if demand > capacity:
            tiles = ", ".join(map(str, record.tiles))
            message = f"{LIMIT_NAMES[name].label} for {tiles}"
            yield broken(LIMIT_NAMES[name].code, f"core {record.address}", message, remedy, demand, capacity)


def compartments(evidence: Evidence) -> Iterator[Violation]:
    """Neurons times the compartments that their reset takes."""
    return over_capacity(evidence, "compartments", "Move part of its neurons to another core")


def input_axons(evidence: Evidence) -> Iterator[Violation]:
    """Source neurons that reach the core, and reset synapses."""
    remedy = "Put fewer rows and columns on the core, or give the layer fewer input channels or more groups"
    return over_capacity(evidence, "input_axons", remedy)


def output_axon_entries(evidence: Evidence) -> Iterator[Violation]:
    """Pairs of neuron and target core, those on other chips costing more."""
    remedy = "Put fewer neurons on the core, or their targets on fewer cores or on the same chip"
    return over_capacity(evidence, "output_axon_entries", remedy)


def synapse_memory_words(evidence: Evidence) -> Iterator[Violation]:
    """Words of all synapse lists."""
    remedy = "Lower --weight-bits, or put fewer channels on the core"
    return over_capacity(evidence, "synapse_memory_words", remedy)


def words_per_axon_list(evidence: Evidence) -> Iterator[Violation]:
    """Words of the longest synapse list."""
    remedy = "Lower --weight-bits, or put fewer targets of one source neuron on the core"
    return over_capacity(evidence, "words_per_axon_list", remedy)


def synapse_formats(evidence: Evidence) -> Iterator[Violation]:
    """Different synapse formats."""
    remedy = "Give projections into the core the same weight bits, exponent and sign mode"
    return over_capacity(evidence, "synapse_formats", remedy)


def compartment_configurations(evidence: Evidence) -> Iterator[Violation]:
    """Different pairs of reset and threshold."""
    remedy = "Put channels of equal threshold on the core, or use one threshold for the layer"
    return over_capacity(evidence, "compartment_configurations", remedy)


def threshold_configurations(evidence: Evidence) -> Iterator[Violation]:
    """Different thresholds."""
    remedy = "Put channels of equal threshold on the core, or use one threshold for the layer"
    return over_capacity(evidence, "threshold_configurations", remedy)


def memory_bytes(evidence: Evidence) -> Iterator[Violation]:
    """Bytes of the memory beside the core."""
    remedy = "Move part of its neurons to another core"
    return over_capacity(evidence, "memory_bytes", remedy)


def synapse_row_bytes(evidence: Evidence) -> Iterator[Violation]:
    """Bytes of all synapse rows."""
    remedy = "Put fewer neurons on the core, or give the layer fewer input channels or more groups"
    return over_capacity(evidence, "synapse_row_bytes", remedy)


def synapses_per_row(evidence: Evidence) -> Iterator[Violation]:
    """Synapses of the longest row."""
    remedy = "Put fewer targets of one source neuron on the core"
    return over_capacity(evidence, "synapses_per_row", remedy)


CAPACITY_RULES = (
    Rule(
        "NMD201",
        "too many compartments",
        "A core has a fixed number of compartments. A neuron takes one, or more where its reset mode needs "
        "it: reset by subtraction takes a second compartment on chips that cannot subtract in one.",
        compartments,
        figures=(
            "core_limits.compartments",
            "core_costs.compartments_per_neuron_zero_reset",
            "core_costs.compartments_per_neuron_subtractive_reset",
        ),
        remedy="Move neurons to another core; or use --reset zero, where subtraction takes a second compartment.",
    ),
    Rule(
        "NMD202",
        "too many input axons",
        "Each source neuron with a synapse into a tile takes one input axon of its core, for each "
        "projection; each reset synapse takes one more. Weights of zero count. A convolution needs input "
        "channels times kernel area for a single position already, so a layer that fits no core needs fewer "
        "input channels or groups.",
        input_axons,
        figures=("core_limits.input_axons",),
        remedy="Put fewer rows and columns on the core, or give the layer fewer input channels or more groups.",
    ),
    Rule(
        "NMD203",
        "too many output axon entries",
        "Each neuron takes an entry for each core it sends to, once per projection, more if that core is on "
        "another chip, and one for its reset synapse. Cutting the targets into fewer channel blocks lowers "
        "it.",
        output_axon_entries,
        figures=(
            "core_limits.output_axon_entries",
            "output_axons.entries_per_target_core",
            "output_axons.entries_extra_off_chip",
        ),
        remedy="Put fewer neurons on the core, or their targets on fewer cores or on the same chip.",
    ),
    Rule(
        "NMD204",
        "synapse memory full",
        "The synapse lists of a core must fit its memory. Source neurons of one channel whose synapses into "
        "the core have the same taps and offsets share a list; a list is made of runs of consecutive "
        "compartments, cut into dense entries of a prefix and the weights, with delay bits where the "
        "projection has a delay.",
        synapse_memory_words,
        figures=(
            "core_limits.synapse_memory_words",
            "synapse_lists.word_bits",
            "synapse_lists.synapses_per_entry",
            "synapse_lists.entry_prefix_bits",
        ),
        remedy="Lower --weight-bits, or put fewer channels on the core.",
    ),
    Rule(
        "NMD205",
        "synapse list too long",
        "The synapses that one input axon visits on a core must fit one list of limited length.",
        words_per_axon_list,
        figures=("core_limits.words_per_axon_list", "synapse_lists.word_bits", "synapse_lists.list_spare_bits"),
        remedy="Lower --weight-bits, or put fewer targets of one source neuron on the core.",
    ),
    Rule(
        "NMD206",
        "too many synapse formats",
        "Weight bits, exponent, sign mode and delay bits make a synapse format, of which a core holds few; "
        "reset synapses take one more.",
        synapse_formats,
        figures=("core_limits.synapse_formats",),
        remedy="Give projections into the core the same weight bits, exponent and sign mode.",
    ),
    Rule(
        "NMD207",
        "too many compartment configurations",
        "Reset and threshold make a compartment configuration, of which a core holds few.",
        compartment_configurations,
        figures=("core_limits.compartment_configurations",),
        remedy="Put channels of equal threshold on the core, or use --thresholds layer.",
    ),
    Rule(
        "NMD208",
        "too many threshold configurations",
        "A core holds few different thresholds. Thresholds per channel, as from quantisation per channel, "
        "may need tiles of few channels. Accumulators, which never spike, take the largest threshold.",
        threshold_configurations,
        figures=("core_limits.threshold_configurations",),
        remedy="Put channels of equal threshold on the core, or use --thresholds layer.",
    ),
    Rule(
        "NMD209",
        "core memory full",
        "Where a core has a memory of so many bytes, all that its neurons keep must fit it: potential, initial "
        "potential, threshold and bias, the count of those with a count memory, a count for each tap of a "
        "maximum, buffers of their input, and what the program needs; the synapse memory too where it is a part.",
        memory_bytes,
        figures=(
            "core_limits.memory_bytes",
            "memory_costs.fixed_bytes",
            "memory_costs.bytes_per_neuron",
            "memory_costs.bytes_per_value",
            "memory_costs.bytes_per_input_axon",
            "memory_costs.bytes_per_synapse_word",
        ),
        remedy="Move part of the core's neurons to another core.",
    ),
    Rule(
        "NMD210",
        "synapse rows full",
        "Where synapses are kept in rows, each source neuron that reaches the core has one of a header and the "
        "synapses. Rows are not shared, so a convolution takes as much as a dense layer of as many synapses.",
        synapse_row_bytes,
        figures=("core_limits.synapse_row_bytes", "synapse_rows.header_bytes", "synapse_rows.bytes_per_synapse"),
        remedy="Put fewer neurons on the core, or give the layer fewer input channels or more groups.",
    ),
    Rule(
        "NMD211",
        "synapse row too long",
        "The synapses of one source neuron on a core must fit one row of limited length, where chips have rows.",
        synapses_per_row,
        figures=("core_limits.synapses_per_row",),
        remedy="Put fewer targets of one source neuron on the core.",
    ),
)
