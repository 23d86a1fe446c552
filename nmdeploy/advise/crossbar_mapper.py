"""Mapping to chips of crossbars: one quantisation, no search, tiles on cores but no addresses."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import numpy as np

from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.crossbar_bounds import crossbar_core_bound
from mapping.crossbar_mapping import cores_of_tiles, relayed, tile_demands
from mapping.crossbar_tiling import CutNetwork
from mapping.network import ChipNetwork
from mapping.refusal import too_many_chips
from mapping.tiles import Tile
from mapping.usable_cores import chips_needed
from mapping.violation import DoesNotFitError
from nmdeploy.advise.mapped import MappedLayer, MappedNetwork, Troubles, owner, refused_network
from nmdeploy.advise.quick_quantization import quickly_quantized
from nmdeploy.advise.weighted_layers import weighted_layers
from nmdeploy.convert.calibration import Calibration
from nmdeploy.convert.lower_layers import lower_layers
from nmdeploy.crossbar.axon_plan import NEEDED_BITS, Precision, plan_axons
from nmdeploy.crossbar.bias_axons import with_bias_axons
from nmdeploy.crossbar.convert_crossbars import convert_for_crossbars
from nmdeploy.crossbar.host_populations import transducers, with_host_populations
from nmdeploy.crossbar.repeated_inputs import without_repeated_inputs
from nmdeploy.layers.graph import LayerGraph
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.simplify import simplify

PERCENTILE = 99.9
# Three levels are the fewest with both signs.
NARROWEST_BITS = 2


@dataclass(frozen=True)
class CrossbarMapper:
    """Maps networks to one chip of crossbars.

    Attributes
    ----------
    profile : CrossbarProfile
    calibration : Calibration
        Few samples do: scales decide next to nothing of what a core holds.
    timesteps : int
    bits : int or None
        Of the weights; None where each layer has what it needs.
    """

    profile: CrossbarProfile
    calibration: Calibration
    timesteps: int
    bits: int | None = None
    unit: str = "cores"
    can_pool: bool = False

    @property
    def fewer_bits(self) -> tuple[int, ...]:
        """Widths of weights below those, widest first."""
        return tuple(range((self.bits or NEEDED_BITS) - 1, NARROWEST_BITS - 1, -1))

    def coarsest(self) -> CrossbarMapper:
        """For weights of three levels, which take the fewest axons; finer ones take what the weights left over need."""
        return self.with_bits(NARROWEST_BITS)

    def with_bits(self, bits: int) -> CrossbarMapper:
        """The same for narrower weights."""
        return replace(self, bits=bits)

    def with_split_fan_in(self) -> None:
        """Crossbars always sum in parts what has too many inputs."""

    def troubles(self, layers: LayerGraph, names: Collection[str] | None = None) -> Troubles:
        """What has too many inputs, and is summed in parts."""
        lowered, _ = lower_layers(simplify(layers))
        network = without_repeated_inputs(with_host_populations(lowered)[0])
        on_host = transducers(network)
        precision = Precision(self.bits)
        wide = frozenset(
            population.name
            for population in network.populations
            if population.name not in on_host and (names is None or population.name in names)
            if plan_axons(network, population, self.profile.crossbar, precision) is None
        )
        return Troubles(in_parts=wide)

    def mapped(self, layers: LayerGraph, *, bounded: bool = False) -> MappedNetwork:
        """Lower, quantise and cut a network into crossbars."""
        simplified = simplify(layers)
        lowered, audit = lower_layers(simplified)
        weighted = weighted_layers(simplified, lowered, audit)
        on_host = transducers(with_host_populations(lowered)[0])
        rows = [
            MappedLayer(
                name=population.name,
                weighted=weighted.get(population.name, ()),
                neurons=int(np.prod(population.shape)),
                cores=None,
                on_host=population.name in on_host,
            )
            for population in lowered.populations
        ]
        try:
            converted = convert_for_crossbars(
                layers, self.calibration, PERCENTILE, self.profile.crossbar, Precision(self.bits)
            )
            options = QuantizationOptions(self.timesteps)
            quantized = quickly_quantized(converted, self.calibration, self.profile, options).network
            cut = relayed(with_bias_axons(quantized, self.profile), self.profile)
        except DoesNotFitError as error:
            return refused_network(rows, error.violations)
        axons = self.profile.crossbar.axons.value
        splits = {split.population: split for split in converted.splits}
        rows = [
            replace(row, sum_of=(splits[row.name].inputs, axons), parts=len(splits[row.name].parts))
            if row.name in splits
            else row
            for row in rows
        ]
        cores = cores_of_tiles(cut, self.profile)
        measured = tuple(self._measured(rows, quantized, cut, cores))
        bound = crossbar_core_bound(cut.network, self.profile) if bounded else None
        refusals = tuple(too_many_chips(len(cores), self.profile))
        return MappedNetwork(measured, len(cores), chips_needed(len(cores), self.profile.mesh), bound, refusals)

    def _measured(
        self, rows: list[MappedLayer], quantized: ChipNetwork, cut: CutNetwork, cores: list[tuple[Tile, ...]]
    ) -> Iterable[MappedLayer]:
        """The layers with their cores, what these use of their capacities, copies and relays."""
        names = [row.name for row in rows]
        owners = {population.name: owner(population.name, names) for population in cut.network.populations}
        tiles, axons, columns = tile_demands(cut)
        demand = dict(zip(tiles, zip(axons.tolist(), columns.tolist(), strict=True), strict=True))
        limits = {"axons": self.profile.crossbar.axons.value, "neurons": self.profile.crossbar.neurons.value}
        count: Counter[str | None] = Counter()
        share: defaultdict[str | None, float] = defaultdict(float)
        used: dict[str | None, Counter[str]] = {name: Counter() for name in (*names, None)}
        for core in cores:
            total = [sum(of_tiles) for of_tiles in zip(*(demand[tile] for tile in core), strict=True)]
            columns_of: Counter[str | None] = Counter()
            for tile in core:
                columns_of[owners[tile.population]] += demand[tile][1]
            for name, held in columns_of.items():
                count[name] += 1
                share[name] += held / (total[1] * len(cores))
                used[name].update(dict(zip(limits, total, strict=True)))
        copies: Counter[str | None] = Counter()
        for tile, (_, taken) in demand.items():
            copies[owners[tile.population]] += taken - tile.neuron_count
        made = {population.name for population in quantized.populations}
        relays: Counter[str | None] = Counter()
        for population in cut.network.populations:
            if population.name not in made and not population.on_host:
                relays[owners[population.name]] += population.neuron_count
        for row in rows:
            if row.on_host or not count[row.name]:
                yield row
                continue
            uses = {name: used[row.name][name] / (count[row.name] * size) for name, size in limits.items()}
            yield replace(
                row,
                cores=count[row.name],
                share=share[row.name],
                uses=uses,
                copies=copies[row.name],
                relays=relays[row.name],
            )
