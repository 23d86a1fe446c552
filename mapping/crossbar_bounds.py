"""Lower bounds on the crossbars that a network takes, however its neurons are spread over them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.bounds import CoreBounds
from mapping.crossbar_cuts import Limits
from mapping.crossbar_reads import ProjectionReads, read_by_host
from mapping.fewest_sources import fewest_sources, lower_lines
from mapping.network import ChipNetwork, Population

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

STEP = 1.005
"""Ratio of the lengths of boxes that are looked at along an axis; a finer one makes the bound 1.5 % larger at most."""


def crossbar_core_bounds(network: ChipNetwork, profile: CrossbarProfile) -> CoreBounds:
    """Bounds of the whole network, which hold for regular tilings as for all, and of each population by itself.

    Parameters
    ----------
    network : ChipNetwork
    profile : CrossbarProfile
    """
    limits = Limits.of(profile)
    bound = crossbar_core_bound(network, profile)
    layers = {
        population.name: max(
            _cores(_axons_of(network, population, limits)[0], limits), -(-population.neuron_count // limits.neurons)
        )
        for population in network.populations
        if not population.on_host
    }
    return CoreBounds(bound, bound, layers)


def _cores(axons: float, limits: Limits) -> int:
    """Cores with so many axons, rounded first so that none is added by the last bits of a sum."""
    return int(np.ceil(round(axons / limits.axons, 6)))


def crossbar_core_bound(network: ChipNetwork, profile: CrossbarProfile) -> int:
    """The larger of two lower bounds on the cores of a network, whatever tiles, relays and packing.

    - Axons: a core with some neurons of a population needs at least so many axons for each of them, see
      `axons_per_neuron`; the sum over all neurons, divided by the axons of a core.
    - Columns: every neuron has one for each axon that it drives. Through a projection these are at least as many as the
      cores that its readers take, which is their number divided by the most neurons of their population in one core,
      times the axons of one input. Relays only add to that. The sum over all neurons, divided by the columns of a core.

    Parameters
    ----------
    network : ChipNetwork
        With or without relays; relays that are in it are counted.
    profile : CrossbarProfile
    """
    limits = Limits.of(profile)
    axons = 0.0
    most: dict[str, int] = {}
    for population in network.populations:
        if not population.on_host:
            of_population, most[population.name] = _axons_of(network, population, limits)
            axons += of_population
    columns = 0
    for name in most:
        needed = read_by_host(network, name).astype(np.int64)
        for projection in network.outgoing(name):
            if projection.target in most:
                reads = ProjectionReads(projection)
                readers = reads.driven((1, 1, 1)) // max(reads.axons_per_input, 1)
                needed += reads.axons_per_input * -(-readers // most[projection.target])
        columns += int(np.maximum(needed, 1).sum())
    return max(_cores(axons, limits), -(-columns // limits.neurons))


def _axons_of(network: ChipNetwork, population: Population, limits: Limits) -> tuple[float, int]:
    """Axons that all neurons of a population take at the least, and the most of its neurons in one core."""
    reads = [ProjectionReads(projection) for projection in network.incoming(population.name)]
    reads = [one for one in reads if one.axons_per_input]
    best, most = 0.0, limits.neurons
    if not reads:
        return best, most
    for kept in _parts_of(population, reads):
        each, count = axons_per_neuron(reads, kept, limits)
        best = max(best, each * float(np.prod([len(part) for part in kept])))
        if all(len(part) == size for part, size in zip(kept, population.shape, strict=True)):
            most = count
    return best, most


def _parts_of(population: Population, reads: list[ProjectionReads]) -> list[tuple[IntArray, IntArray, IntArray]]:
    """Parts of a population to look at: all of it, and along every axis only those that read most, so no padding."""
    every, full = [], []
    for axis, size in enumerate(population.shape):
        counts = [one.read(axis, 1) for one in reads]
        most = np.all([one == one.max() for one in counts], axis=0)
        every.append(np.arange(size))
        full.append(np.flatnonzero(most) if most.any() else every[axis])
    parts = [(every[0], every[1], every[2]), (full[0], full[1], full[2])]
    return parts[:1] if all(map(np.array_equal, every, full)) else parts


def axons_per_neuron(
    reads: list[ProjectionReads], kept: tuple[IntArray, IntArray, IntArray], limits: Limits
) -> tuple[float, int]:
    """Axons that a core needs for each of its neurons of a part of a population, and how many may be there at most.

    If m targets along an axis read no fewer than ``a * m + b`` sources, whatever targets they are, with a and b not
    negative, then a set of neurons reads no fewer than the product over the axes of the largest such line, each at the
    length of a box of as many neurons: by the box theorem (Bollobás and Thomason 1995) there is one of which no
    projection onto some of the axes is larger than that of the set. Its lengths need not be whole numbers. All boxes
    are looked at that find enough axons and columns, on a grid, and the most favourable corners are taken.

    Parameters
    ----------
    reads : list of ProjectionReads
        Of all projections into the population.
    kept : (int64 array, int64 array, int64 array)
        Channels, rows and columns of the part.
    limits : Limits

    Returns
    -------
    (float, int)
    """
    low, high = zip(*(_lengths(min(len(part), limits.neurons)) for part in kept), strict=True)
    weights = []
    for one in reads:
        lines = [lower_lines(fewest_sources(one, axis, kept[axis])) for axis in range(3)]
        of_axes = [_largest(lines[axis], low[axis]) for axis in range(3)]
        weights.append((one.axons_per_input * np.multiply.outer(of_axes[0], of_axes[1]), of_axes[2]))
    area = np.multiply.outer(low[0], low[1])

    def fits(place: IntArray) -> NDArray[np.bool_]:
        axons = sum(first * second[place] for first, second in weights)
        fitting: NDArray[np.bool_] = (axons <= limits.axons + 1e-6) & (area * low[2][place] <= limits.neurons + 1e-6)
        return fitting

    # axons for each neuron fall with every length, so that only the largest third length that fits counts
    last = np.zeros(area.shape, dtype=np.int64)
    possible = fits(last)
    for bit in reversed(range(len(low[2]).bit_length())):
        further = np.minimum(last + (1 << bit), len(low[2]) - 1)
        last = np.where(fits(further), further, last)
    if not possible.any():
        return 0.0, 1
    axons = sum(first * second[last] for first, second in weights)
    neurons = np.multiply.outer(high[0], high[1]) * high[2][last]
    most = int(min(float(neurons[possible].max()) + 1e-6, limits.neurons))
    return float((axons / neurons)[possible].min()), max(most, 1)


def _lengths(whole: int) -> tuple[FloatArray, FloatArray]:
    """Both ends of intervals that cover the lengths from 1 on; shorter boxes read no fewer sources."""
    ends = np.geomspace(1.0, whole, int(np.ceil(np.log(whole) / np.log(STEP))) + 1)
    return (ends[:-1], ends[1:]) if whole > 1 else (ends, ends)


def _largest(lines: list[tuple[float, float]], lengths: FloatArray) -> FloatArray:
    """Largest of some lines at every length."""
    values: FloatArray = np.max([slope * lengths + offset for slope, offset in lines], axis=0)
    return values
