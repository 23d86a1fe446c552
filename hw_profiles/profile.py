"""The data model of a chip of cores that hold neurons and synapses: what `compile` maps to, quantises for and emits."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, StrictInt, model_validator

from hw_profiles.contradictions import Contradiction, refuse
from hw_profiles.quantities import Capacity, Choice, Count, Flag, NeuronModels, Quantity, ResetModes, Sourced, Strict

Place = Annotated[StrictInt, Field(ge=0)]
CoreSite = tuple[int, int, int]
"""Router column, router row and slot of a core on its chip."""


class ListedCore(Sourced):
    """A core that must not be used: one that is broken, or that software keeps for itself.

    Attributes
    ----------
    chip : int or None
        None: on every chip.
    x, y : int
        Router on the chip's mesh.
    slot : int
        Core at that router.
    """

    chip: Place | None = None
    x: Place
    y: Place
    slot: Place

    @property
    def site(self) -> CoreSite:
        """Where it lies on its chip."""
        return self.x, self.y, self.slot


class Mesh(Strict):
    """Cores of one chip as routers on a grid, the chips of a system, and the cores that must not be used.

    Attributes
    ----------
    routers_x, routers_y, cores_per_router : Capacity
    chips : Capacity
        Most chips of one system.
    chip_columns : Capacity or None
        Chips of one row of the system: chip ``c`` stands in column ``c % chip_columns`` of row ``c // chip_columns``,
        and the routers of neighbouring chips are neighbours. None: all chips stand in one row.
    usable_cores_per_chip : Capacity or None
        Most cores of one chip that may be used, whichever they are; None: all that are not listed below.
    dead_cores, reserved_cores : tuple of ListedCore
    """

    routers_x: Capacity
    routers_y: Capacity
    cores_per_router: Capacity
    chips: Capacity
    chip_columns: Capacity | None = None
    usable_cores_per_chip: Capacity | None = None
    dead_cores: tuple[ListedCore, ...] = ()
    reserved_cores: tuple[ListedCore, ...] = ()

    @property
    def cores_per_chip(self) -> int:
        """Number of cores of one chip, those that must not be used counted."""
        return self.routers_x.value * self.routers_y.value * self.cores_per_router.value

    @cached_property
    def listed_sites(self) -> dict[int | None, frozenset[CoreSite]]:
        """Dead and reserved cores by chip; those of every chip under None."""
        sites: dict[int | None, set[CoreSite]] = {None: set()}
        for core in (*self.dead_cores, *self.reserved_cores):
            sites.setdefault(core.chip, set()).add(core.site)
        return {chip: frozenset(found | sites[None]) for chip, found in sites.items()}

    def unusable_sites(self, chip: int) -> frozenset[CoreSite]:
        """Dead and reserved cores of one chip."""
        return self.listed_sites.get(chip, self.listed_sites[None])

    def usable_count(self, chip: int) -> int:
        """How many cores of one chip may be used at most."""
        sound = self.cores_per_chip - len(self.unusable_sites(chip))
        return sound if self.usable_cores_per_chip is None else min(sound, self.usable_cores_per_chip.value)

    def chip_position(self, chip: int) -> tuple[int, int]:
        """Column and row in which a chip stands in the system."""
        columns = self.chips.value if self.chip_columns is None else self.chip_columns.value
        return chip % columns, chip // columns

    @model_validator(mode="after")
    def _listed_cores_exist(self) -> Mesh:
        refuse(self._contradictions())
        return self

    def _contradictions(self) -> Iterator[Contradiction]:
        sizes = {
            "chip": self.chips.value,
            "x": self.routers_x.value,
            "y": self.routers_y.value,
            "slot": self.cores_per_router.value,
        }
        for name in ("dead_cores", "reserved_cores"):
            seen: set[tuple[int | None, CoreSite]] = set()
            for index, core in enumerate(getattr(self, name)):
                for part, size in sizes.items():
                    place = getattr(core, part)
                    if place is not None and place >= size:
                        yield f"{name}.{index}.{part}", f"{place} is outside of 0 to {size - 1}"
                if (core.chip, core.site) in seen:
                    yield f"{name}.{index}", "the same core stands above"
                seen.add((core.chip, core.site))
        if self.usable_cores_per_chip is not None and self.usable_cores_per_chip.value > self.cores_per_chip:
            yield "usable_cores_per_chip", f"a chip has {self.cores_per_chip} cores"
        listed = {chip for chip in self.listed_sites if chip is not None}
        if len(listed) >= self.chips.value and not any(self.usable_count(chip) for chip in listed):
            yield "dead_cores", "no core is left that may be used"
        if len(self.listed_sites[None]) >= self.cores_per_chip:
            yield "dead_cores", "no core is left that may be used"


class CoreLimits(Strict):
    """Capacities of one core; a demand equal to the value is legal, one more is not.

    A chip that has no such resource, or no limit of it, has no such entry. What each one counts says
    `mapping.tiles.Demands`.
    """

    compartments: Capacity | None = None
    input_axons: Capacity | None = None
    output_axon_entries: Capacity | None = None
    synapse_memory_words: Capacity | None = None
    words_per_axon_list: Capacity | None = None
    synapse_formats: Capacity | None = None
    compartment_configurations: Capacity | None = None
    threshold_configurations: Capacity | None = None
    memory_bytes: Capacity | None = None
    synapse_row_bytes: Capacity | None = None
    synapses_per_row: Capacity | None = None


class CoreCosts(Strict):
    """What one neuron takes of a core's capacities."""

    compartments_per_neuron_zero_reset: Capacity
    compartments_per_neuron_subtractive_reset: Capacity
    reset_synapses_per_subtractive_neuron: Count


class OutputAxons(Strict):
    """Output axon entries that a source neuron takes for one target core, of chips whose cores hold such entries."""

    entries_per_target_core: Capacity
    entries_extra_off_chip: Count


class SynapseLists(Strict):
    """How lists of synapses are packed into words, of chips that keep them so."""

    word_bits: Capacity
    synapses_per_entry: Capacity
    entry_prefix_bits: Count
    list_spare_bits: Count


class SynapseRows(Strict):
    """Bytes of a row of synapses, one for each source neuron of a core, of chips that keep them so."""

    header_bytes: Count
    bytes_per_synapse: Capacity


class MemoryCosts(Strict):
    """What takes of ``core_limits.memory_bytes``, the memory beside each core.

    ``fixed_bytes``, whatever runs there; for each neuron ``bytes_per_neuron`` and ``bytes_per_value`` for each value
    that it keeps (see `mapping.tiles.Demands`); ``bytes_per_input_axon``; and ``bytes_per_synapse_word`` for each word
    of synapse memory, where that is part of the same memory.
    """

    fixed_bytes: Count
    bytes_per_neuron: Count
    bytes_per_value: Capacity
    bytes_per_input_axon: Count
    bytes_per_synapse_word: Count


class HopEnergy(Strict):
    """Energy of a message over one link between routers, in femtojoule, along x and along y; of chips that say so."""

    x_fj: Capacity
    y_fj: Capacity


class Multicast(Strict):
    """Routing tables of chips whose routers copy a packet where its ways part, one table a router."""

    router_entries: Capacity


class NumberFormats(Strict):
    """Fields in which weights, thresholds, biases, delays and states are held.

    A weight mantissa ``w`` with exponent ``e`` is delivered as ``w * 2**(synapse_exponent + e)``; a threshold
    mantissa ``m`` stands for ``m * 2**threshold_exponent``; a bias for ``mantissa * 2**exponent``: all in the
    unit of the membrane potential.

    `weights_at_top` says where weights of fewer bits than the mantissa has stand in it: shifted to its top, so that
    they are multiples of a step, or at its bottom. `product_bits` is the width of what a program of neurons can
    multiply, sign included: the potential times a step, and a slope times the input; absent where neurons cannot
    multiply. `spike_payload_bits` is the width of the integer that a graded spike carries, absent where a spike is an
    event without payload; a spike of either sign takes 2 bits of it.
    """

    weight_bits: Choice
    weight_mantissa_bits: Capacity
    weights_at_top: Flag
    mixed_sign_lost_bits: Count
    weight_exponent_min: Quantity
    weight_exponent_max: Quantity
    synapse_exponent: Quantity
    threshold_mantissa_max: Capacity
    threshold_exponent: Count
    bias_mantissa_max: Count
    bias_exponent_max: Count
    state_bits: Capacity
    product_bits: Capacity | None = None
    delay_max: Count
    spike_payload_bits: Capacity | None = None

    @model_validator(mode="after")
    def _fields_agree(self) -> NumberFormats:
        refuse(self._contradictions())
        return self

    def _contradictions(self) -> Iterator[Contradiction]:
        widest, mantissa = max(self.weight_bits.values), self.weight_mantissa_bits.value
        if widest > mantissa:
            yield "weight_bits", f"weights of {widest} bits in a mantissa of {mantissa}"
        if min(self.weight_bits.values) < 1:
            yield "weight_bits", "a weight has at least 1 bit"
        if self.weight_exponent_min.value > self.weight_exponent_max.value:
            yield "weight_exponent_min", "above weight_exponent_max"

    @property
    def state_max(self) -> int:
        """Largest magnitude of the membrane potential, where it saturates."""
        return int(2 ** (self.state_bits.value - 1) - 1)

    @property
    def product_max(self) -> int | None:
        """Largest magnitude of a product; None where neurons cannot multiply."""
        return None if self.product_bits is None else int(2 ** (self.product_bits.value - 1) - 1)

    def mantissa_step(self, bits: int) -> int:
        """Difference of neighbouring weight mantissas of so many bits, the bits lost to mixed signs not counted."""
        return 1 << (self.weight_mantissa_bits.value - bits) if self.weights_at_top.value else 1


class HardwareProfile(Strict):
    """A chip of equal cores as data; what a chip does not have is absent."""

    kind: Literal["neuron_cores"] = "neuron_cores"
    name: str
    title: str
    notes: str
    mesh: Mesh
    core_limits: CoreLimits
    core_costs: CoreCosts
    output_axons: OutputAxons | None = None
    synapse_lists: SynapseLists | None = None
    synapse_rows: SynapseRows | None = None
    memory_costs: MemoryCosts | None = None
    hop_energy: HopEnergy | None = None
    multicast: Multicast | None = None
    number_formats: NumberFormats
    neuron_models: NeuronModels
    reset_modes: ResetModes
    signed_spikes: Flag

    @model_validator(mode="after")
    def _sections_agree(self) -> HardwareProfile:
        refuse(self._contradictions())
        return self

    def _contradictions(self) -> Iterator[Contradiction]:
        """A limit whose costs are missing would never be reached, and a core without limits never be full."""
        limits = self.core_limits
        for limit, costs in (
            ("output_axon_entries", "output_axons"),
            ("synapse_memory_words", "synapse_lists"),
            ("words_per_axon_list", "synapse_lists"),
            ("synapse_row_bytes", "synapse_rows"),
            ("synapses_per_row", "synapse_rows"),
            ("memory_bytes", "memory_costs"),
        ):
            if getattr(limits, limit) is not None and getattr(self, costs) is None:
                yield f"core_limits.{limit}", f"needs [{costs}]"
        if limits.compartments is None and limits.memory_bytes is None:
            yield "core_limits", "needs compartments or memory_bytes"
        payload = self.number_formats.spike_payload_bits
        if self.signed_spikes.value and payload is not None and payload.value < 2:
            yield "number_formats.spike_payload_bits", "spikes of either sign take 2 bits"
