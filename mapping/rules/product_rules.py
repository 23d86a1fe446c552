"""Rules NMD311 and NMD312: what a program of neurons multiplies fits the width that the chip has for products."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mapping.network import Population
from mapping.neuron_models import CountMemory
from mapping.rules.evidence import Evidence
from mapping.rules.rule import Rule, broken
from mapping.violation import Violation

NO_PRODUCTS = "Use the form with shifts and no slope, or another target"


def slope_outside_field(evidence: Evidence) -> Iterator[Violation]:
    """The mantissa of a slope is an operand of the chip's products, and its bits a shift of them."""
    formats = evidence.profile.number_formats
    for name, population in evidence.populations.items():
        memory = population.count_memory
        if memory is None or memory.slope_mantissa is None:
            continue
        where = f"population {name}"
        if formats.product_bits is None or formats.product_max is None:
            yield broken("NMD311", where, "a slope, but the neurons of the chip cannot multiply", NO_PRODUCTS)
            continue
        width, largest = formats.product_bits.value, formats.product_max
        illegal = memory.slope_mantissa[np.abs(memory.slope_mantissa) > largest]
        if illegal.size:
            message = f"{illegal.size} slope mantissas such as {illegal[0]} outside +-{largest}"
            yield broken("NMD311", where, message, "Use fewer bits for the slope")
        if not 0 <= memory.slope_bits < width:
            message = f"products with the slope are shifted by {memory.slope_bits} bits, not by 0 to {width - 1}"
            yield broken("NMD311", where, message, "Use other bits for the slope")


def product_overflows(evidence: Evidence) -> Iterator[Violation]:
    """Products with the step fit for any input, those with the slope up to the first spike of -1."""
    formats, shift = evidence.profile.number_formats, max(evidence.network.refinement_steps, 0)
    ordinary = evidence.network.timesteps - shift
    for name, population in evidence.populations.items():
        memory = population.count_memory
        if memory is None:
            continue
        where = f"population {name}"
        pace = full_rate_product(population, memory, ordinary) << shift
        demand = max(pace, first_release_product(population, memory, shift))
        if not demand:
            continue
        if formats.product_max is None:
            yield broken("NMD312", where, "products, but the neurons of the chip cannot multiply", NO_PRODUCTS)
        elif demand > formats.product_max:
            message = f"products of {memory.model} neurons with a threshold of {population.threshold.max():,}"
            remedy = "Scale the population's weights, threshold and bias down together, or use fewer time steps"
            yield broken("NMD312", where, message, remedy, demand, formats.product_max)


def full_rate_product(population: Population, memory: CountMemory, timesteps: int) -> int:
    """Bound of residue times step, in the last step (`mapping.neuron_models`).

    It is reached by a neuron whose input is one threshold in every step: it spikes in every step, and holds the input
    of the steps of its lead and of this one. 0 where nothing is multiplied by a step.
    """
    if not memory.paced or memory.shift_only:
        return 0
    return (1 + memory.lead) * int(population.threshold.max()) * timesteps


def first_release_product(population: Population, memory: CountMemory, shift: int) -> int:
    """The larger of the two products with the slope at which a neuron sends its first spike of -1.

    That of the high part comes to half a threshold; that of the low part is the same for all. 0 without a slope.
    """
    if memory.slope_mantissa is None or not memory.slope_mantissa.any():
        return 0
    sloping = population.threshold[memory.slope_mantissa != 0]
    low = ((1 << max(memory.slope_bits, 0)) - 1) * int(np.abs(memory.slope_mantissa).max())
    return max((int(sloping.max()) << shift) // 2, low)


PRODUCT_RULES = (
    Rule(
        "NMD311",
        "slope outside its field",
        "A slope for negative input is a mantissa times a power of two. The chip multiplies the input by the "
        "mantissa and shifts the product, so it must be able to multiply, and hold the mantissa.",
        slope_outside_field,
        figures=("number_formats.product_bits",),
        remedy="Use fewer bits for the slope, the form with shifts and no slope, or another target.",
    ),
    Rule(
        "NMD312",
        "product overflows",
        "Paced neurons multiply the residue of their input by the step, and slopes the input. The first product has a "
        "bound for any input, which must fit the width that the chip has, as must the second of a neuron that sends "
        "its first spike of -1; larger ones of that depend on the data, and quantisation leaves room for those of the "
        "calibration samples.",
        product_overflows,
        figures=("number_formats.product_bits",),
        remedy="Scale the population's weights, threshold and bias down together, or use fewer time steps.",
    ),
)
