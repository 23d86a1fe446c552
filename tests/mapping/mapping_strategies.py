"""Random networks and random small chips."""

from __future__ import annotations

from dataclasses import replace

import mapping_networks as networks
import numpy as np
from hypothesis import strategies as st

from hw_profiles import HardwareProfile, load_profile
from mapping.connectivity import Connectivity
from mapping.neuron_models import CountMemory
from mapping.tiles import LIMIT_NAMES

LOIHI = load_profile("loihi")
MODELS = ("if", "imbalanced", "signed", "paced", "max_pool")


SOURCED = {"status": "assumed", "source": "test"}


def number(value):
    return {"value": value, **SOURCED}


def changed_profile(profile, **values):
    """The same profile with other values, given as section__field=value; None takes a field away."""
    data = profile.model_dump()
    for path, value in values.items():
        section, field = path.split("__")
        data[section] = {**(data[section] or {}), field: None if value is None else number(value)}
    return HardwareProfile.model_validate(data)


def without(profile, *sections):
    """The same profile without some sections."""
    return HardwareProfile.model_validate({**profile.model_dump(), **dict.fromkeys(sections)})


def with_mesh(profile, **fields):
    """The same profile with other fields of its mesh."""
    data = profile.model_dump()
    data["mesh"].update(fields)
    return HardwareProfile.model_validate(data)


def listed_core(chip, site):
    """An entry of the dead or reserved cores; chip None for every chip."""
    return {"chip": chip, **dict(zip(("x", "y", "slot"), site, strict=True)), **SOURCED}


def programmable(profile):
    """The same profile with every neuron model and spikes of either sign."""
    data = profile.model_dump()
    data["neuron_models"]["names"] = MODELS
    data["signed_spikes"]["value"] = True
    data["number_formats"]["product_bits"] = number(32)
    return HardwareProfile.model_validate(data)


EVERYTHING = changed_profile(
    programmable(LOIHI),
    synapse_rows__header_bytes=12,
    synapse_rows__bytes_per_synapse=4,
    memory_costs__fixed_bytes=100,
    memory_costs__bytes_per_neuron=7,
    memory_costs__bytes_per_value=3,
    memory_costs__bytes_per_input_axon=2,
    memory_costs__bytes_per_synapse_word=5,
)
"""A chip with every kind of memory and neuron that there is."""


def limited(**limits):
    return changed_profile(LOIHI, **{f"core_limits__{name}": value for name, value in limits.items()})


@st.composite
def tables(draw, source_size, target_size):
    """Any index table at all."""
    taps = draw(st.integers(1, 3))
    values = st.lists(st.integers(-1, source_size - 1), min_size=taps, max_size=taps)
    return np.array(draw(st.lists(values, min_size=target_size, max_size=target_size)), dtype=np.int32)


@st.composite
def channel_range(draw, size):
    start = draw(st.integers(0, size - 1))
    return start, draw(st.integers(start + 1, size))


@st.composite
def connectivities(draw, source, target):
    kind = draw(st.sampled_from(["conv", "conv", "shortcut", "upsampled", "any", "grouped", "dense"]))
    if kind == "shortcut":
        return networks.shortcut(source, target, draw(st.integers(1, 2)))
    if kind == "upsampled":
        return networks.upsampled_conv(source, target, draw(st.integers(2, 3)))
    if kind == "dense" and target[1:] == (1, 1):
        return networks.flatten_dense(source, target[0])
    if kind == "any":
        return Connectivity(
            source,
            target,
            draw(tables(source[1], target[1])),
            draw(tables(source[2], target[2])),
            draw(channel_range(source[0])),
            draw(channel_range(target[0])),
        )
    divisors = [count for count in range(1, 7) if source[0] % count == 0 and target[0] % count == 0]
    return networks.conv_connectivity(
        source,
        target,
        kernel=draw(st.integers(1, 3)),
        stride=draw(st.integers(1, 2)),
        padding=draw(st.integers(0, 2)),
        dilation=draw(st.integers(1, 2)),
        groups=divisors[-1] if kind == "grouped" else draw(st.sampled_from(divisors)),
    )


@st.composite
def shapes(draw):
    if draw(st.integers(0, 3)) == 0:
        return draw(st.integers(1, 12)), 1, 1
    return draw(st.integers(1, 6)), draw(st.integers(1, 6)), draw(st.integers(1, 6))


@st.composite
def random_networks(draw, models=("if",)):
    """Chains with shortcuts, of neurons of these models; a maximum after every population that is none."""
    count = draw(st.integers(2, 4))
    populations, projections = [], []
    start = 0
    for index in range(count):
        last = index == count - 1
        before = populations[-1] if populations else None
        pools = "max_pool" in models and before is not None and before.pool_counts is None and not last
        model = draw(st.sampled_from([item for item in models if pools or item != "max_pool"]))
        if model == "max_pool":
            pooled, taken = draw(maxima(f"p{index}", before, start))
            populations.append(pooled)
            projections += taken
        else:
            populations.append(draw(spiking(f"p{index}", model, start, last)))
            projections += draw(inputs(populations))
        start += 1 + populations[-1].lead
    return networks.network(populations, projections)


@st.composite
def spiking(draw, name, model, start, last, shape=None):
    shape = draw(shapes()) if shape is None else shape
    resets = ["subtract", "zero", "none"] if last else ["subtract", "zero"]
    reset = draw(st.sampled_from(resets)) if model in ("if", "imbalanced") else "subtract"
    levels = st.sampled_from([40, 80, 100, 120, 200])
    thresholds = draw(st.lists(levels, min_size=shape[0], max_size=shape[0]))
    made = networks.population(name, shape, reset, start, thresholds, is_output=last)
    if model == "imbalanced" and reset != "none":
        return replace(made, negative_threshold=made.threshold * 2 - (reset == "zero"))
    if model in ("signed", "paced"):
        slope = np.full(shape[0], 26) if draw(st.booleans()) else None
        lead = draw(st.integers(0, 2)) if model == "paced" else 0
        release = "never" if slope is None else "half"
        memory = CountMemory(lead=lead, paced=model == "paced", release=release, slope_mantissa=slope)
        return replace(made, count_memory=memory)
    return made


@st.composite
def inputs(draw, populations):
    """Projections into the last population, from the one before it and perhaps another."""
    *sources, target = populations
    chosen = sources[-1:]
    if len(sources) > 1 and draw(st.booleans()):
        chosen.append(draw(st.sampled_from(sources)))
    return [
        networks.projection(
            f"{source.name}-{target.name}-{number}",
            source.name,
            target.name,
            draw(connectivities(source.shape, target.shape)),
            bits=draw(st.sampled_from([1, 4, 6, 8])),
            exponent=draw(st.integers(-6, -3)),
            delay=target.start_step - source.firing_start_step - 1,
            sign_mode=draw(st.sampled_from(["mixed", "mixed", "excitatory", "inhibitory"])),
        )
        for number, source in enumerate(chosen)
    ]


@st.composite
def maxima(draw, name, source, start):
    """A maximum over windows of a population, perhaps of the same one twice, on channels of their own."""
    channels, rows, columns = source.shape
    kernel, stride = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    shape = (channels, -(-rows // stride), -(-columns // stride))
    base = 4 if source.sends_negative else 2
    parts = [(0, channels)]
    if channels > 1 and draw(st.booleans()):
        cut = draw(st.integers(1, channels - 1))
        parts = [(0, cut), (cut, channels)]
    projections = [
        networks.pool_projection(f"{name}-{number}", source, name, shape, part, kernel, stride, base)
        for number, part in enumerate(parts)
    ]
    return networks.maximum(name, shape, base, start), projections


@st.composite
def small_chips(draw):
    """Loihi with smaller limits, so that small networks need many cores and several chips."""
    return draw(smaller_chips(LOIHI))


@st.composite
def small_chips_of_any_kind(draw):
    """As `small_chips`, with and without each kind of memory and each limit."""
    profile = changed_profile(
        draw(smaller_chips(EVERYTHING)),
        core_limits__memory_bytes=draw(st.integers(150, 1500)),
        core_limits__synapse_row_bytes=draw(st.integers(200, 3000)),
        core_limits__synapses_per_row=draw(st.integers(4, 40)),
        memory_costs__bytes_per_synapse_word=draw(st.integers(0, 5)),
        core_costs__reset_synapses_per_subtractive_neuron=draw(st.integers(0, 1)),
        core_costs__compartments_per_neuron_subtractive_reset=draw(st.integers(1, 2)),
    )
    kinds = {
        "output_axons": ("output_axon_entries",),
        "synapse_lists": ("synapse_memory_words", "words_per_axon_list"),
        "synapse_rows": ("synapse_row_bytes", "synapses_per_row"),
        "memory_costs": ("memory_bytes",),
    }
    gone = [kind for kind in kinds if draw(st.integers(0, 2)) == 0]
    unlimited = {limit for kind in gone for limit in kinds[kind]}
    unlimited |= {name for name in LIMIT_NAMES if draw(st.integers(0, 3)) == 0}
    if {"compartments", "memory_bytes"} <= unlimited:
        unlimited.remove("compartments")
    limits = {f"core_limits__{name}": None for name in sorted(unlimited)}
    return without(changed_profile(profile, **limits), *gone)


@st.composite
def smaller_chips(draw, chip):
    limits = dict(
        compartments=draw(st.integers(2, 60)),
        input_axons=draw(st.integers(20, 200)),
        output_axon_entries=draw(st.integers(10, 200)),
        synapse_memory_words=draw(st.integers(30, 400)),
        words_per_axon_list=draw(st.integers(1, 20)),
        synapse_formats=draw(st.integers(2, 4)),
        compartment_configurations=draw(st.integers(1, 4)),
        threshold_configurations=draw(st.integers(1, 4)),
    )
    return changed_profile(
        chip,
        **{f"core_limits__{name}": value for name, value in limits.items()},
        mesh__routers_x=draw(st.integers(1, 3)),
        mesh__routers_y=draw(st.integers(1, 2)),
        mesh__cores_per_router=draw(st.integers(1, 3)),
        synapse_lists__synapses_per_entry=draw(st.integers(2, 60)),
    )


@st.composite
def chips_with_unusable_cores(draw):
    """Small chips with dead and reserved cores, on one chip or on every chip, and perhaps a limit of cores in use."""
    profile = draw(small_chips())
    mesh = profile.mesh
    sizes = (mesh.routers_x.value, mesh.routers_y.value, mesh.cores_per_router.value)
    sites = st.tuples(*(st.integers(0, size - 1) for size in sizes))
    everywhere = draw(st.lists(sites, max_size=min(2, mesh.cores_per_chip - 1), unique=True))
    dead = draw(st.lists(st.tuples(st.integers(0, 2), sites), max_size=12, unique=True))
    usable = draw(st.none() | st.integers(1, mesh.cores_per_chip))
    return with_mesh(
        profile,
        reserved_cores=[listed_core(None, site) for site in everywhere],
        dead_cores=[listed_core(chip, site) for chip, site in dead],
        usable_cores_per_chip=None if usable is None else number(usable),
    )
