"""Which neurons a target has for a network, and their integer fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hw_profiles import HardwareProfile, MeshProfile
from mapping.neuron_models import CountMemory, PoolCounts, Release
from nmdeploy.convert.lower_layers import NeuronKind
from nmdeploy.errors import QuantizationError
from nmdeploy.spiking.network import FloatPopulation, SpikingNetwork

IntArray = NDArray[np.int64]
NeuronName = Literal["if", "imbalanced", "signed", "paced"]
# From the most accurate to the least, as measured in docs/conversion.md.
PREFERENCE: tuple[NeuronName, ...] = ("paced", "signed", "if")
SLOPE_BITS = 8


@dataclass(frozen=True)
class NeuronChoice:
    """Neurons that activations become.

    Attributes
    ----------
    name : {"if", "imbalanced", "signed", "paced"}
        "if": plain integrate-and-fire, leaky activations as two populations. "imbalanced": leaky activations as one
        population with a negative threshold of ``threshold / slope`` (Spiking-YOLO). "signed": a count memory and
        no waiting. "paced": paced firing with a lead.
    lead : int
        Steps that paced neurons wait; 0 for others.
    shift_only : bool
        Paced rectifiers without multiplication.
    release : {"never", "half", "threshold"}
        When rectifiers with a count memory take a spike back. Leaky activations follow their target at "half".
    without_lead : frozenset of str
        Populations that do not wait, whatever the lead of the others.
    """

    name: NeuronName = "if"
    lead: int = 0
    shift_only: bool = False
    release: Release = "never"
    without_lead: frozenset[str] = frozenset()

    @property
    def has_count_memory(self) -> bool:
        """Whether neurons fire by a target count."""
        return self.name in ("signed", "paced")

    @property
    def can_refine(self) -> bool:
        """Whether refinement steps help these neurons: they count, take spikes back, and multiply."""
        return self.has_count_memory and self.release != "never" and not self.shift_only

    def lead_of(self, population: str) -> int:
        """Steps that one population waits."""
        return 0 if population in self.without_lead else self.lead


def most_accurate(profile: MeshProfile) -> NeuronName:
    """The neurons that lose least, of those that the target has.

    Raises
    ------
    QuantizationError
        It has none of them.
    """
    for name in PREFERENCE:
        if name in profile.neuron_models.names:
            return name
    raise QuantizationError(f"{profile.name} has no integrate-and-fire neuron")


def check_offered(choice: NeuronChoice, profile: HardwareProfile) -> None:
    """Refuse neurons that the target lacks.

    Raises
    ------
    QuantizationError
    """
    names = profile.neuron_models.names
    if choice.name not in names:
        raise QuantizationError(f"{profile.name} has no '{choice.name}' neurons; it has {', '.join(names)}")
    if choice.lead and choice.name != "paced":
        raise QuantizationError(f"a lead of {choice.lead} steps needs paced neurons, not '{choice.name}'")
    if choice.shift_only and choice.name != "paced":
        raise QuantizationError(f"shifts in place of products are a form of paced neurons, not of '{choice.name}'")
    if choice.lead < 0:
        raise QuantizationError(f"a lead of {choice.lead} steps")


def neuron_kinds(choice: NeuronChoice, profile: HardwareProfile) -> frozenset[NeuronKind]:
    """What activations need no rewriting to rectifiers."""
    kinds: set[NeuronKind] = set()
    if choice.name != "if":
        kinds.add("leaky")
    if "max_pool" in profile.neuron_models.names:
        kinds.add("maximum")
    return frozenset(kinds)


def count_memory(population: FloatPopulation, choice: NeuronChoice) -> CountMemory | None:
    """The count memory of a population that becomes such neurons; None for others."""
    if not choice.has_count_memory or population.activation not in ("rectifier", "leaky"):
        return None
    paced = choice.name == "paced"
    lead = choice.lead_of(population.name)
    if population.negative_slope is None:
        return CountMemory(lead, paced, choice.shift_only, choice.release)
    slope = np.rint(population.negative_slope * 2**SLOPE_BITS).astype(np.int64)
    return CountMemory(lead, paced, False, "half", slope, SLOPE_BITS)


def negative_threshold(
    population: FloatPopulation, threshold: IntArray, choice: NeuronChoice, profile: HardwareProfile
) -> IntArray | None:
    """``threshold / slope`` in whole threshold steps (Spiking-YOLO's imbalanced threshold); None for others."""
    if choice.name != "imbalanced" or population.negative_slope is None:
        return None
    formats = profile.number_formats
    step = 1 << formats.threshold_exponent.value
    largest = formats.threshold_mantissa_max.value
    steps = np.rint(threshold / step / np.maximum(population.negative_slope, 1.0 / largest))
    magnitudes: IntArray = np.clip(steps, 1, largest).astype(np.int64) * step
    return magnitudes


def pool_counts(network: SpikingNetwork, population: FloatPopulation, choice: NeuronChoice) -> PoolCounts | None:
    """Of a maximum: base 4 where one of its sources sends -1; None for other populations."""
    if population.activation != "maximum":
        return None
    return PoolCounts(4 if sends_negative(network, population, choice) else 2)


def sends_negative(network: SpikingNetwork, population: FloatPopulation, choice: NeuronChoice) -> bool:
    """Whether a population will send spikes of -1."""
    if population.activation == "maximum":
        sources = [network.population(projection.source) for projection in network.incoming(population.name)]
        return any(sends_negative(network, source, choice) for source in sources)
    if population.activation == "leaky":
        return True
    memory = count_memory(population, choice)
    return memory is not None and memory.sends_negative
