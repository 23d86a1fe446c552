"""Boxes of neurons and what a core that holds them needs: the vocabulary that mapper and verifier share."""

from __future__ import annotations

from dataclasses import dataclass

Interval = tuple[int, int]

LARGEST_ROUTE_COUNT = 2_000_000
"""Most pairs of sending and receiving core that mapper and verifier handle: a limit of this tool's memory, not of a
chip. Networks beyond it have fan-ins so large that their tiles shrink to single neurons."""


@dataclass(frozen=True)
class Tile:
    """A box of neurons of one population, half-open along each axis.

    Neuron ``(channel, row, column)`` has compartment index
    ``((row - r0) * column count + (column - x0)) * channel count + (channel - c0)`` within the tile.

    Attributes
    ----------
    population : str
    channels, rows, columns : (int, int)
        ``[start, stop)``.
    """

    population: str
    channels: Interval
    rows: Interval
    columns: Interval

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of channels, rows and columns."""
        return (
            self.channels[1] - self.channels[0],
            self.rows[1] - self.rows[0],
            self.columns[1] - self.columns[0],
        )

    @property
    def neuron_count(self) -> int:
        """Number of neurons."""
        channels, rows, columns = self.shape
        return channels * rows * columns

    def __str__(self) -> str:
        boxes = (self.channels, self.rows, self.columns)
        return f"{self.population}[" + ", ".join(f"{start}:{stop}" for start, stop in boxes) + "]"


@dataclass(frozen=True)
class Demands:
    """What one core needs; the fields are named as the capacities in ``profile.core_limits``.

    What a chip does not have at all (``profile.output_axons``, ``synapse_lists``, ``synapse_rows``, ``memory_costs``)
    is counted as 0; what it has, but without a limit, is counted.

    Attributes
    ----------
    compartments : int
        Neurons, each times what its reset mode costs.
    input_axons : int
        Per projection and tile of its target, one for each source neuron with a structural synapse (a valid
        tap; weights of zero count) into the tile; and one for each reset synapse of a subtractive neuron.
    output_axon_entries : int
        Per projection and source neuron of the core, one for each target core reached, times what an entry
        costs on the same or another chip; and one for each reset synapse.
    synapse_memory_words : int
        Sum over the synapse lists of the core. Source neurons of the same channel whose synapses into a tile
        have the same taps and the same offsets from their first row and column share one list.
    words_per_axon_list : int
        Words of the longest list. A list is cut into runs of consecutive compartments and these into dense
        entries; its words are the larger of all bits packed together, with the spare bits that the compiler
        leaves, and each entry rounded up on its own. Where a source reaches a target by several taps, the
        second and later ones make runs of their own: one for each pair (repetition by row taps, repetition by
        column taps).
    synapse_formats : int
        Distinct (weight bits, weight exponent, sign mode, bits of the delay) of projections with synapses
        into the core; one more if it holds subtractive neurons.
    compartment_configurations : int
        Distinct (reset, threshold) pairs of its neurons.
    threshold_configurations : int
        Distinct thresholds of its neurons; an accumulator has the largest one of the chip.
    memory_bytes : int
        ``fixed_bytes``, ``bytes_per_neuron`` for each neuron, ``bytes_per_value`` for each value that a neuron keeps,
        ``bytes_per_input_axon`` for each input axon and ``bytes_per_synapse_word`` for each synapse memory word. A
        neuron keeps its potential, initial potential, threshold and bias; an "imbalanced" one the negative threshold,
        too; one with a count memory the count, and the mantissa of its slope if it has one. A maximum over counts keeps
        a count for each tap of a kernel, and nothing else.
    synapse_row_bytes : int
        For each input axon that is no reset synapse ``header_bytes``, and ``bytes_per_synapse`` for each structural
        synapse: source neurons share no rows.
    synapses_per_row : int
        Most structural synapses of one projection from one source neuron into one tile.
    """

    compartments: int
    input_axons: int
    output_axon_entries: int
    synapse_memory_words: int
    words_per_axon_list: int
    synapse_formats: int
    compartment_configurations: int
    threshold_configurations: int
    memory_bytes: int
    synapse_row_bytes: int
    synapses_per_row: int


@dataclass(frozen=True)
class CrossbarDemands:
    """What one crossbar needs; the fields are named as the capacities in ``profile.crossbar``.

    Attributes
    ----------
    axons : int
        For each projection into the core: source neurons with a structural synapse (a valid tap; weights of zero count)
        into its tiles, each as often as the projection has axon types.
    neurons : int
        Columns: neurons of the tiles, each once for every axon that it drives in any core, and once if the host reads
        it; at least once.
    """

    axons: int
    neurons: int


@dataclass(frozen=True)
class LimitName:
    """How a capacity is called in reports.

    Attributes
    ----------
    code : str
        Rule that a demand above the capacity breaks.
    label : str
        In words.
    """

    code: str
    label: str


LIMIT_NAMES: dict[str, LimitName] = {
    "compartments": LimitName("NMD201", "compartments"),
    "input_axons": LimitName("NMD202", "input axons"),
    "output_axon_entries": LimitName("NMD203", "output axon entries"),
    "synapse_memory_words": LimitName("NMD204", "synapse memory words"),
    "words_per_axon_list": LimitName("NMD205", "words in one axon's synapse list"),
    "synapse_formats": LimitName("NMD206", "synapse formats"),
    "compartment_configurations": LimitName("NMD207", "compartment configurations"),
    "threshold_configurations": LimitName("NMD208", "threshold configurations"),
    "memory_bytes": LimitName("NMD209", "bytes of core memory"),
    "synapse_row_bytes": LimitName("NMD210", "bytes of synapse rows"),
    "synapses_per_row": LimitName("NMD211", "synapses in one row"),
}
"""Names of the capacities, by field of `Demands` and of ``profile.core_limits``."""

CROSSBAR_LIMIT_NAMES: dict[str, LimitName] = {
    "axons": LimitName("NMD801", "axons"),
    "neurons": LimitName("NMD802", "neurons"),
}
"""Names of the capacities, by field of `CrossbarDemands` and of ``profile.crossbar``."""
