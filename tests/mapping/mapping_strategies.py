"""Random networks and random small chips."""

from __future__ import annotations

import mapping_networks as networks
import numpy as np
from hypothesis import strategies as st

from hw_profiles import HardwareProfile, load_profile
from mapping.connectivity import Connectivity

LOIHI = load_profile("loihi")


def changed_profile(profile, **values):
    """The same profile with other values, given as section__field=value."""
    data = profile.model_dump()
    for path, value in values.items():
        section, field = path.split("__")
        data[section][field]["value"] = value
    return HardwareProfile.model_validate(data)


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
def random_networks(draw):
    count = draw(st.integers(2, 4))
    populations = []
    for index in range(count):
        shape = draw(shapes())
        last = index == count - 1
        reset = draw(st.sampled_from(["subtract", "zero", "none"] if last else ["subtract", "zero"]))
        levels = st.sampled_from([40, 80, 100, 120, 200])
        thresholds = draw(st.lists(levels, min_size=shape[0], max_size=shape[0]))
        populations.append(networks.population(f"p{index}", shape, reset, index, thresholds, is_output=last))
    projections = []
    for target in range(1, count):
        sources = [target - 1]
        if target > 1 and draw(st.booleans()):
            sources.append(draw(st.integers(0, target - 1)))
        for number, source in enumerate(sources):
            projections.append(
                networks.projection(
                    f"p{source}-p{target}-{number}",
                    f"p{source}",
                    f"p{target}",
                    draw(connectivities(populations[source].shape, populations[target].shape)),
                    bits=draw(st.sampled_from([1, 4, 6, 8])),
                    exponent=draw(st.integers(-6, -3)),
                    delay=target - source - 1,
                    sign_mode=draw(st.sampled_from(["mixed", "mixed", "excitatory", "inhibitory"])),
                )
            )
    return networks.network(populations, projections)


@st.composite
def small_chips(draw):
    """Loihi with smaller limits, so that small networks need many cores and several chips."""
    profile = limited(
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
        profile,
        mesh__routers_x=draw(st.integers(1, 3)),
        mesh__routers_y=draw(st.integers(1, 2)),
        mesh__cores_per_router=draw(st.integers(1, 3)),
        core_costs__synapses_per_entry=draw(st.integers(2, 60)),
    )
