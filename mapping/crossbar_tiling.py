"""Cut every population into tiles that fit crossbars, from the last to the first, with relays where they save cores.

How many axons a neuron drives follows from how its readers are cut, so these come first. A cut is judged by its own
cores and by the columns that its axons take in the cores of their sources, a 256th of a core each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.crossbar_cuts import Cut, Limits, PopulationCuts
from mapping.crossbar_fan_out import (
    Demand,
    demands_of,
    groupings,
    in_relay,
    left_to_population,
    shared_relays,
    total_of,
)
from mapping.crossbar_reads import ProjectionReads, read_by_host
from mapping.crossbar_refusal import unfit_for_crossbars
from mapping.crossbar_relays import Relay, with_relays
from mapping.crossbar_schedule import unused_name
from mapping.network import ChipNetwork
from mapping.regular_tiling import Size, Tiling
from mapping.violation import DoesNotFitError

IntArray = NDArray[np.int64]
Relays = list[list[Demand]]


@dataclass(frozen=True)
class CutNetwork:
    """A network whose populations are cut into tiles.

    Attributes
    ----------
    network : ChipNetwork
        With relays.
    sizes : dict of str to (int, int, int)
        Tile size of each population on the chip, by name.
    """

    network: ChipNetwork
    sizes: dict[str, Size]

    @property
    def tilings(self) -> list[Tiling]:
        """The tilings, in the order of the network."""
        populations = (one for one in self.network.populations if not one.on_host)
        return [Tiling(one.name, one.shape, self.sizes[one.name]) for one in populations]


def cut_into_crossbars(network: ChipNetwork, profile: CrossbarProfile) -> CutNetwork:
    """Cut all populations on the chip into tiles, and put relays where there have to be or where they save cores.

    Raises
    ------
    DoesNotFitError
        A neuron alone needs more axons than a core has, or its spikes more columns than relays could have.
    """
    violations = unfit_for_crossbars(network, profile)
    if violations:
        raise DoesNotFitError(violations)
    cutting = _Cutting(network, profile)
    for population in reversed(network.populations):
        if not population.on_host:
            cutting.cut(population.name)
    return CutNetwork(cutting.network, cutting.sizes)


class _Cutting:
    def __init__(self, network: ChipNetwork, profile: CrossbarProfile) -> None:
        self.network = network
        self.sizes: dict[str, Size] = {}
        self._limits = Limits.of(profile)

    def cut(self, name: str) -> None:
        """Cut one population whose readers are cut, and put relays between them and it."""
        while True:
            demands = self._demands(name)
            shape = self.network.population(name).shape
            by_host = read_by_host(self.network, name).astype(np.int64)
            cuts = self._cuts(name)
            best: tuple[float, int, Relays, Cut] | None = None
            for number, relayed in enumerate(groupings(demands, self._limits.neurons)):
                own = left_to_population(demands, relayed, shape) + by_host
                for group in relayed:
                    own += in_relay(group)
                cut = cuts.best(np.maximum(own, 1))
                if cut is None:
                    continue
                score = cut.cores + cut.driven / self._limits.neurons + sum(map(self._relay_cores, relayed))
                if best is None or round(score - best[0], 6) < 0:
                    best = score, number, relayed, cut
            if best is not None:
                self._put_relays(name, best[2])
                self.sizes[name] = best[3].size
                return
            self._put_relays(name, shared_relays(demands, self._limits.neurons))

    def _demands(self, name: str) -> list[Demand]:
        found: list[Demand] = []
        for projection in self.network.outgoing(name):
            if projection.target in self.sizes:
                reads = ProjectionReads(projection)
                found += demands_of(reads, self.sizes[projection.target], self._limits.neurons)
        return found

    def _cuts(self, name: str) -> PopulationCuts:
        incoming = list(self.network.incoming(name))
        return PopulationCuts(
            self.network.population(name),
            [ProjectionReads(projection) for projection in incoming],
            [not self.network.population(projection.source).on_host for projection in incoming],
            self._limits,
        )

    def _relay_cores(self, group: Sequence[Demand]) -> float:
        """Cores of a relay; less than its columns and axons take there is none."""
        total = np.maximum(total_of(group), in_relay(group))
        return max(float(total.sum()) / self._limits.neurons, float((total > 0).sum()) / self._limits.axons)

    def _put_relays(self, name: str, relayed: Relays) -> None:
        """Put relays behind a population, and cut them."""
        names: list[str] = []
        for _ in relayed:
            names.append(unused_name(self.network, f"{name}.relay", names))
        relays = [
            Relay(relay, name, tuple(demand.part for demand in group))
            for relay, group in zip(names, relayed, strict=True)
        ]
        if not relays:
            return
        self.network = with_relays(self.network, relays)
        for relay in names:
            columns = sum((one.axons for one in self._demands(relay)), np.zeros((1, 1, 1), dtype=np.int64))
            cut = self._cuts(relay).best(np.maximum(columns, 1))
            assert cut is not None  # single neurons fit: a relay has one axon and no more columns than a core
            self.sizes[relay] = cut.size
