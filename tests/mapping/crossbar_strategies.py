"""Random small networks and chips of crossbars."""

from __future__ import annotations

import crossbar_networks as networks
import mapping_strategies as strategies
import numpy as np
from hypothesis import strategies as st

from hw_profiles import load_target
from hw_profiles.crossbar_profile import CrossbarProfile

TRUENORTH = load_target("truenorth")


def crossbars(axons, neurons, delay_max=15, side=64, chips=16, delay_min=1):
    """TrueNorth with other limits."""
    data = TRUENORTH.model_dump()
    data["crossbar"]["axons"]["value"] = axons
    data["crossbar"]["neurons"]["value"] = neurons
    data["number_formats"]["delay_max"]["value"] = delay_max
    data["number_formats"]["delay_min"]["value"] = delay_min
    data["mesh"]["routers_x"]["value"] = data["mesh"]["routers_y"]["value"] = side
    data["mesh"]["chips"]["value"] = chips
    return CrossbarProfile.model_validate(data)


@st.composite
def small_crossbars(draw, least_axons=8, least_neurons=2):
    return crossbars(
        draw(st.integers(least_axons, 128)), draw(st.integers(least_neurons, 40)), draw(st.sampled_from([3, 15]))
    )


@st.composite
def shapes(draw):
    if draw(st.integers(0, 3)) == 0:
        return draw(st.integers(1, 10)), 1, 1
    return draw(st.integers(1, 4)), draw(st.integers(1, 4)), draw(st.integers(1, 4))


@st.composite
def crossbar_networks(draw):
    """A chain with shortcuts behind a source on the host, perhaps a constant source, and a counter."""
    populations = [networks.host_source("input", draw(shapes()))]
    projections = []
    if draw(st.booleans()):
        populations.append(networks.constant_source("constant"))
    for number in range(draw(st.integers(1, 4))):
        made = networks.population(
            f"p{number}",
            draw(shapes()),
            draw(st.integers(1, 3)),
            draw(st.sampled_from(["subtract", "zero"])),
        )
        sources = [populations[-1] if number else populations[0]]
        sources += draw(st.lists(st.sampled_from(populations), max_size=2))
        for index, source in enumerate(sources):
            connectivity = draw(strategies.connectivities(source.shape, made.shape))
            types = tuple(draw(st.sampled_from([(0,), (1,), (0, 1), (0, 1), (0, 2, 1)])))
            name = f"{source.name}-{made.name}.{index}"
            projections.append(networks.projection(source, made, connectivity, types, name, draw(st.integers(0, 99))))
        populations.append(made)
    counts = networks.counter("counts", (draw(st.integers(1, 3)), 1, 1))
    read = {
        populations[-1].name: populations[-1],
        **{one.name: one for one in draw(st.lists(st.sampled_from(populations), max_size=1))},
    }
    for source in read.values():
        connectivity = draw(strategies.connectivities(source.shape, counts.shape))
        projections.append(networks.projection(source, counts, connectivity))
    return networks.network([*populations, counts], projections)


def samples(network, count=2, seed=0):
    generator = np.random.default_rng(seed)
    return generator.uniform(-0.2, 1.0, (count, *network.input_shape)).astype(np.float32)
